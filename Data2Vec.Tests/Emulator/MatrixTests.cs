using Data2Vec.Kernels.Cuda;
using NUnit.Framework;

namespace Data2Vec.Tests.Emulator;

/// <summary>
/// mma.sync and ldmatrix. Fragments are dealt out here element by element, as the PTX manual lists them for a lane's
/// elements a0, a1, ... (sections 9.7.14.5.8 and 9.7.14.5.15), and gathered again.
/// </summary>
public sealed class MatrixTests
{
    [TestCase("m16n8k16", "bf16", 16)]
    [TestCase("m16n8k8", "bf16", 8)]
    [TestCase("m16n8k16", "f16", 16)]
    [TestCase("m16n8k8", "f16", 8)]
    [TestCase("m16n8k8", "tf32", 8)]
    [TestCase("m16n8k4", "tf32", 4)]
    public void A_product_of_matrices_is_that_of_rows_and_columns(string shape, string type, int depth)
    {
        var random = new Random(depth);
        // Small whole numbers: exact in every type, and so are their sums.
        var (a, b, c) = (Matrix(16, depth), Matrix(depth, 8), Matrix(16, 8));
        var halves = type != "tf32";
        var perRegister = halves ? 2 : 1;
        var (countA, countB) = (16 * depth / 32 / perRegister, 8 * depth / 32 / perRegister);
        uint[] aRegisters = new uint[32 * 4], bRegisters = new uint[32 * 4], cRegisters = new uint[32 * 4];
        for (var lane = 0; lane < 32; lane++)
        {
            var (group, inGroup) = (lane / 4, lane % 4);
            for (var i = 0; i < countA * perRegister; i++)
            {
                var (row, column) = halves
                    ? (i is 0 or 1 or 4 or 5 ? group : group + 8, inGroup * 2 + (i & 1) + (i >= 4 ? 8 : 0))
                    : (i is 0 or 2 ? group : group + 8, i < 2 ? inGroup : inGroup + 4);
                aRegisters[lane * 4 + i / perRegister] |= Bits(a[row, column]) << (i % perRegister * 16);
            }
            for (var i = 0; i < countB * perRegister; i++)
            {
                var row = halves ? inGroup * 2 + (i & 1) + (i >= 2 ? 8 : 0) : i == 0 ? inGroup : inGroup + 4;
                bRegisters[lane * 4 + i / perRegister] |= Bits(b[row, group]) << (i % perRegister * 16);
            }
            for (var i = 0; i < 4; i++)
                cRegisters[lane * 4 + i] =
                    BitConverter.SingleToUInt32Bits(c[i < 2 ? group : group + 8, inGroup * 2 + (i & 1)]);
        }
        using var device = new EmulatedDevice();
        var result = device.Empty<float>(32 * 4);
        device.Launch(EmulatedDevice.Kernel(4, $$"""
            mov.u32 %r50, %tid.x; mul.wide.u32 %d5, %r50, 16;
            ld.param.u64 %d0, [p0]; add.u64 %d0, %d0, %d5; ld.global.v4.b32 {%r0, %r1, %r2, %r3}, [%d0];
            ld.param.u64 %d0, [p1]; add.u64 %d0, %d0, %d5; ld.global.v4.b32 {%r4, %r5, %r6, %r7}, [%d0];
            ld.param.u64 %d0, [p2]; add.u64 %d0, %d0, %d5; ld.global.v4.f32 {%f0, %f1, %f2, %f3}, [%d0];
            mma.sync.aligned.{{shape}}.row.col.f32.{{type}}.{{type}}.f32 {%f4, %f5, %f6, %f7}, {{Registers(0, countA)}},
                {{Registers(4, countB)}}, {%f0, %f1, %f2, %f3};
            ld.param.u64 %d0, [p3]; add.u64 %d0, %d0, %d5; st.global.v4.f32 [%d0], {%f4, %f5, %f6, %f7};
            """), "test", new Dim3(1), new Dim3(32), 0, device.Put(aRegisters), device.Put(bRegisters),
            device.Put(cRegisters), result);
        var registers = device.Get<float>(result, 32 * 4);
        for (var row = 0; row < 16; row++)
        {
            for (var column = 0; column < 8; column++)
            {
                var expected = c[row, column];
                for (var k = 0; k < depth; k++) expected += a[row, k] * b[k, column];
                var lane = row % 8 * 4 + column / 2;
                Assert.That(registers[lane * 4 + (row < 8 ? 0 : 2) + column % 2], Is.EqualTo(expected),
                    $"[{row}, {column}]");
            }
        }

        float[,] Matrix(int rows, int columns)
        {
            var m = new float[rows, columns];
            for (var r = 0; r < rows; r++)
                for (var k = 0; k < columns; k++) m[r, k] = random.Next(-9, 10);
            return m;
        }

        uint Bits(float x) => type switch
        {
            "bf16" => BitConverter.SingleToUInt32Bits(x) >> 16,
            "f16" => BitConverter.HalfToUInt16Bits((Half)x),
            // What lies in the last 13 bits of tf32 is not looked at.
            _ => BitConverter.SingleToUInt32Bits(x) | 0x1abc,
        };
    }

    [Test]
    public void A_product_is_rounded_once_to_float32()
    {
        // 1 + 2^-30 - 1 from products that float32 would lose one by one.
        using var device = new EmulatedDevice();
        var result = device.Empty<float>(32);
        device.Launch(EmulatedDevice.Kernel(1, """
            mov.u32 %r50, %tid.x; mul.wide.u32 %d5, %r50, 4; and.b32 %r51, %r50, 3;
            mov.b32 %r0, 0; mov.b32 %r1, 0; setp.eq.u32 %p1, %r51, 0;
            selp.b32 %r0, 0x38003f80, 0, %p1;
            selp.b32 %r1, 0x38003f80, 0, %p1;
            mov.f32 %f0, 0fBF800000; mov.f32 %f1, 0f00000000;
            mma.sync.aligned.m16n8k8.row.col.f32.bf16.bf16.f32 {%f4, %f5, %f6, %f7}, {%r0, %r0}, {%r1},
                {%f0, %f0, %f0, %f0};
            ld.param.u64 %d0, [p0]; add.u64 %d0, %d0, %d5; st.global.f32 [%d0], %f4;
            """), "test", new Dim3(1), new Dim3(32), 0, result);
        Assert.That(device.Get<float>(result, 32), Is.All.EqualTo((float)Math.ScaleB(1, -30)));
    }

    [TestCase("x1", 1, false)]
    [TestCase("x2", 2, false)]
    [TestCase("x4", 4, false)]
    [TestCase("x1", 1, true)]
    [TestCase("x2", 2, true)]
    [TestCase("x4", 4, true)]
    public void Matrices_of_eight_rows_are_loaded(string count, int matrices, bool transposed)
    {
        // Row r of matrix m lies in row (5 r + m) mod 32 of shared memory, so that nothing is in order by chance.
        using var device = new EmulatedDevice();
        var elements = Enumerable.Range(0, 32 * 8).Select(i => (ushort)(i * 7 + 3)).ToArray();
        var result = device.Empty<uint>(32 * matrices);
        var registers = Registers(0, matrices);
        var stores = string.Concat(
            Enumerable.Range(0, matrices).Select(m => $"st.global.u32 [%d4+{128 * m}], %r{m};\n"));
        device.Launch(EmulatedDevice.Kernel(2, $$"""
            mov.u32 %r50, %tid.x; mul.wide.u32 %d5, %r50, 16; shl.b32 %r51, %r50, 4; mov.u32 %r52, rows;
            add.u32 %r53, %r52, %r51;
            ld.param.u64 %d0, [p0]; add.u64 %d0, %d0, %d5; ld.global.v4.b32 {%r0, %r1, %r2, %r3}, [%d0];
            st.shared.v4.b32 [%r53], {%r0, %r1, %r2, %r3};
            bar.sync 0;
            and.b32 %r54, %r50, 7; shr.u32 %r55, %r50, 3; mad.lo.u32 %r56, %r54, 5, %r55; and.b32 %r56, %r56, 31;
            mad.lo.u32 %r57, %r56, 16, %r52;
            ldmatrix.sync.aligned.m8n8.{{count}}{{(transposed ? ".trans" : "")}}.shared.b16 {{registers}}, [%r57];
            ld.param.u64 %d3, [p1]; mul.wide.u32 %d2, %r50, 4; add.u64 %d4, %d3, %d2;
            {{stores}}
            """, ".shared .align 16 .b8 rows[512];"), "test", new Dim3(1), new Dim3(32), 0, device.Put(elements),
            result);
        var loaded = device.Get<uint>(result, 32 * matrices);
        for (var m = 0; m < matrices; m++)
        {
            for (var lane = 0; lane < 32; lane++)
            {
                var (low, high) = transposed ? (At(m, lane % 4 * 2, lane / 4), At(m, lane % 4 * 2 + 1, lane / 4))
                    : (At(m, lane / 4, lane % 4 * 2), At(m, lane / 4, lane % 4 * 2 + 1));
                Assert.That(loaded[32 * m + lane], Is.EqualTo(low | (uint)high << 16), $"matrix {m}, lane {lane}");
            }
        }

        ushort At(int matrix, int row, int column) => elements[(5 * row + matrix) % 32 * 8 + column];
    }

    [Test]
    public void A_product_that_only_half_a_warp_runs_is_found()
    {
        using var device = new EmulatedDevice();
        Assert.That(() => device.Launch(EmulatedDevice.Kernel(0, """
            mov.u32 %r50, %tid.x; setp.lt.u32 %p1, %r50, 16; mov.b32 %r0, 0; mov.f32 %f0, 0f00000000;
            @%p1 mma.sync.aligned.m16n8k8.row.col.f32.bf16.bf16.f32 {%f4, %f5, %f6, %f7}, {%r0, %r0}, {%r0},
                {%f0, %f0, %f0, %f0};
            """), "test", new Dim3(1), new Dim3(32), 0), Throws.Exception.With.Message.Contains("needs all 32 lanes"));
    }

    private static string Registers(int from, int count) =>
        "{" + string.Join(", ", Enumerable.Range(from, count).Select(n => $"%r{n}")) + "}";
}
