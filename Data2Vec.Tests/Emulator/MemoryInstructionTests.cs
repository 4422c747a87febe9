using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Data2Vec.Kernels.Cuda;
using Data2Vec.Kernels.Emulator;
using NUnit.Framework;

namespace Data2Vec.Tests.Emulator;

/// <summary>Loads, stores, addresses and atomics (PTX manual, 9.7.9 and 9.7.13).</summary>
public sealed class MemoryInstructionTests
{
    [StructLayout(LayoutKind.Sequential)]
    private struct Arguments
    {
        public ulong Result;
        public int At, Padding;
        public ulong Last;
    }

    [Test]
    public void Loads_extend_by_the_kind_of_their_type(
        [Values("u8", "s8", "u16", "s16", "u32", "s32", "u64")] string type, [Values(16, 32, 64)] int register)
    {
        var bits = int.Parse(type[1..]);
        if (bits > register) return;
        byte[] bytes = [0x81, 0x92, 0xa3, 0xb4, 0xc5, 0xd6, 0xe7, 0xf8];
        var (name, widen) = register switch
        {
            16 => ("%h1", "cvt.u64.u16 %d3, %h1;"), 32 => ("%r1", "cvt.u64.u32 %d3, %r1;"), _ =>
                ("%d2", "mov.b64 %d3, %d2;"),
        };
        using var device = new EmulatedDevice();
        var result = device.Empty<ulong>(1);
        device.Launch(EmulatedDevice.Kernel(2, $"""
            ld.param.u64 %d0, [p0]; ld.param.u64 %d1, [p1]; ld.global.{type} {name}, [%d0];
            {widen} st.global.u64 [%d1], %d3;
            """), "test", new Dim3(1), new Dim3(1), 0, device.Put(bytes), result);
        var raw = BinaryPrimitives.ReadUInt64LittleEndian(bytes) & ulong.MaxValue >> (64 - bits);
        var expected = type[0] == 's' ? (ulong)((long)(raw << (64 - bits)) >> (64 - bits)) : raw;
        Assert.That(device.Get<ulong>(result, 1)[0], Is.EqualTo(expected & ulong.MaxValue >> (64 - register)));
    }

    /// <summary>Every width in every space, alone and as vectors, with the hints that kernels give.</summary>
    [Test]
    public void What_is_stored_is_loaded(
        [Values("global", "shared", "local", "generic")] string space, [Values("", ".v2", ".v4")] string vector,
        [Values("b8", "u8", "u16", "b16", "u32", "b32", "f32", "u64", "b64", "f64")] string type,
        [Values("", ".volatile", ".cs", ".L1::no_allocate")] string hint)
    {
        var (count, bits) = (vector == "" ? 1 : vector[2] - '0', int.Parse(type[1..]));
        if (count * bits > 128 || (hint.StartsWith('.') && hint != ".volatile" && space != "global")) return;
        var name = type == "f32" ? "%f" : type == "f64" ? "%g" : bits == 64 ? "%d" : bits == 32 ? "%r" : "%h";
        string Registers(int first) => vector == "" ? $"{name}{first}"
            : $"{{{string.Join(", ", Enumerable.Range(first, count).Select(n => name + n))}}}";
        var here = space == "generic" ? "" : "." + space;
        var (loads, stores) = hint switch
        {
            ".volatile" => ($"ld.volatile{here}{vector}.{type}", $"st.volatile{here}{vector}.{type}"),
            ".cs" => ($"ld{here}{vector}.{type}", $"st{here}.cs{vector}.{type}"),
            _ => ($"ld{here}{hint}{vector}.{type}", $"st{here}{vector}.{type}"),
        };
        var place = space switch
        {
            "shared" => "mov.u64 %d20, room;", "local" => "mov.u64 %d20, depot;", _ => "add.u64 %d20, %d1, 32;",
        };
        byte[] bytes = [.. Enumerable.Range(1, 16).Select(n => (byte)(n * 15))];
        using var device = new EmulatedDevice();
        var result = device.Put(new byte[48]);
        device.Launch(EmulatedDevice.Kernel(2, $"""
            .local .align 16 .b8 depot[16];
            ld.param.u64 %d0, [p0]; ld.param.u64 %d1, [p1]; {place}
            ld.global{vector}.{type} {Registers(10)}, [%d0]; {stores} [%d20], {Registers(10)};
            {loads} {Registers(14)}, [%d20]; st.global{vector}.{type} [%d1], {Registers(14)};
            """, ".shared .align 16 .b8 room[16];"), "test", new Dim3(1), new Dim3(1), 0, device.Put(bytes), result);
        var moved = count * bits / 8;
        Assert.That(device.Get<byte>(result, 16), Is.EqualTo(bytes.Select((b, i) => i < moved ? b : 0)));
    }

    [TestCase("ld.global.nc.v4.u32")]
    [TestCase("ld.global.nc.v2.f32")]
    [TestCase("ld.global.nc.L1::no_allocate.v4.f32")]
    [TestCase("ld.const.v4.u32")]
    [TestCase("ldu.global.u32")]
    [TestCase("ld.param.v2.u32")]
    [TestCase("ld.param.v4.u32")]
    [TestCase("ld.param.v2.f32")]
    [TestCase("ld.param.f32")]
    [TestCase("ld.param.s32")]
    [TestCase("ld.param.u16")]
    [TestCase("ld.param.u8")]
    [TestCase("ld.param.v2.f64")]
    [TestCase("ld.param.f64")]
    public void What_nobody_writes_is_loaded(string load)
    {
        var parts = load.Split('.');
        var (type, count) = (parts[^1], parts[^2][0] == 'v' && parts[^2].Length == 2 ? parts[^2][1] - '0' : 1);
        var name = type == "f32" ? "%f" : type == "f64" ? "%g" : type[1..] == "32" ? "%r" : "%h";
        var registers = count == 1 ? $"{name}1"
            : $"{{{string.Join(", ", Enumerable.Range(1, count).Select(n => name + n))}}}";
        var ptx = $$"""
            .version 8.4
            .target sm_80
            .address_size 64
            .const .align 16 .b8 table[16] = {15, 30, 45, 60, 75, 90, 105, 120, 135, 150, 165, 180, 195, 210, 225, 240};
            .visible .entry test(.param .align 16 .b8 a[16], .param .u64 p1, .param .u64 p2)
            {
                .reg .b16 %h<8>; .reg .b32 %r<8>; .reg .b64 %d<8>; .reg .f32 %f<8>; .reg .f64 %g<8>;
                ld.param.u64 %d1, [p1]; ld.param.u64 %d2, [p2];
                {{load}} {{registers}}, [{{(parts[1] == "const" ? "table" : parts[1] == "param" ? "a" : "%d1")}}];
                st.global{{(count == 1 ? "" : $".v{count}")}}.{{type}} [%d2], {{registers}};
            }
            """;
        byte[] bytes = [.. Enumerable.Range(1, 16).Select(n => (byte)(n * 15))];
        using var device = new EmulatedDevice();
        var result = device.Put(new byte[16]);
        device.Launch(ptx, "test", new Dim3(1), new Dim3(1), 0,
            MemoryMarshal.Read<UInt128>(bytes), device.Put(bytes), result);
        var moved = count * int.Parse(type[1..]) / 8;
        Assert.That(device.Get<byte>(result, 16), Is.EqualTo(bytes.Select((b, i) => i < moved ? b : 0)));
    }

    [TestCase("b8", "%r1", 1)]
    [TestCase("b16", "%r1", 2)]
    [TestCase("b32", "%d2", 4)]
    [TestCase("b64", "%d2", 8)]
    public void Stores_take_the_low_bits(string type, string register, int bytes)
    {
        using var device = new EmulatedDevice();
        var place = device.Put(new byte[16]);
        device.Launch(EmulatedDevice.Kernel(1, $"""
            ld.param.u64 %d0, [p0]; mov.u32 %r1, 0x44332211; mov.u64 %d2, 0x8877665544332211;
            st.global.{type} [%d0+8], {register};
            """), "test", new Dim3(1), new Dim3(1), 0, place);
        var expected = new byte[16];
        for (var i = 0; i < bytes; i++) expected[8 + i] = (byte)(0x11 * (i + 1));
        Assert.That(device.Get<byte>(place, 16), Is.EqualTo(expected));
    }

    [Test]
    public void Generic_addresses_reach_every_space()
    {
        using var device = new EmulatedDevice();
        var result = device.Empty<int>(4);
        device.Launch(EmulatedDevice.Kernel(1, """
            .local .align 4 .b8 depot[8];
            ld.param.u64 %d0, [p0];
            mov.u64 %d1, room; cvta.shared.u64 %d2, %d1; st.u32 [%d2+4], 11; ld.shared.u32 %r1, [room+4];
            st.u32 [%d0], %r1;
            mov.u64 %d3, depot; cvta.local.u64 %d4, %d3; st.local.u32 [%d3], 22; ld.u32 %r2, [%d4]; st.u32 [%d0+4], %r2;
            mov.u64 %d5, table; ld.const.u32 %r3, [table+4]; st.u32 [%d0+8], %r3;
            isspacep.shared %p1, %d2; isspacep.global %p2, %d0; isspacep.local %p3, %d2; not.pred %p3, %p3;
            and.pred %p1, %p1, %p2; and.pred %p1, %p1, %p3; selp.u32 %r4, 44, 0, %p1; st.u32 [%d0+12], %r4;
            cvta.to.shared.u64 %d6, %d2; setp.ne.u64 %p4, %d6, %d1; @%p4 trap;
            cvta.to.global.u64 %d7, %d0; cvta.global.u64 %d8, %d7; setp.ne.u64 %p4, %d8, %d0; @%p4 trap;
            """, ".shared .align 4 .b8 room[16]; .const .align 4 .u32 table[3] = {3, 33, 0x21};"),
            "test", new Dim3(1), new Dim3(1), 0, result);
        Assert.That(device.Get<int>(result, 4), Is.EqualTo(new[] { 11, 22, 33, 44 }));
    }

    [TestCase(16, "b16 u16 s16")]
    [TestCase(32, "b32 u32 s32 f32")]
    [TestCase(64, "b64 u64 s64 f64")]
    public void Registers_are_copied(int bits, string types)
    {
        var a = InstructionRig.Integers(bits);
        foreach (var type in types.Split(' '))
            Assert.That(InstructionRig.Run($"mov.{type} {{d}}, {{a}};", bits, (bits, a)), Is.EqualTo(a), type);
    }

    [Test]
    public void Registers_are_packed_and_unpacked()
    {
        ulong[] a = [0x1122_3344, 0xffff_0000], b = [0x5566_7788, 1];
        Assert.That(InstructionRig.Run("mov.b64 {d}, {{a}, {b}};", 64, (32, a), (32, b)),
            Is.EqualTo(new ulong[] { 0x5566_7788_1122_3344, 0x1_ffff_0000 }));
        Assert.That(InstructionRig.Run("mov.b32 {%h5, %h6}, {a}; mov.b32 {d}, {%h6, %h5};", 32, (32, a)),
            Is.EqualTo(new ulong[] { 0x3344_1122, 0x0000_ffff }));
        Assert.That(InstructionRig.Run("mov.b64 {%r5, %r6}, {a}; mov.b32 {d}, %r6;", 32, (64, [0x7_0000_0001])),
            Is.EqualTo(new[] { 7 }));
        Assert.That(InstructionRig.Run(
            "mov.b64 {%h5, %h6, %h7, %h8}, {a}; mov.b16 {d}, %h7;", 16, (64, [0x9_0000_0001])),
            Is.EqualTo(new[] { 9 }));
    }

    [TestCase("add.u32", 5, 7, 12)]
    [TestCase("add.s32", -5, 7, 2)]
    [TestCase("min.s32", -5, 7, -5)]
    [TestCase("max.s32", -5, 7, 7)]
    [TestCase("max.u32", -5, 7, -5)]
    [TestCase("and.b32", 12, 10, 8)]
    [TestCase("or.b32", 12, 10, 14)]
    [TestCase("xor.b32", 12, 10, 6)]
    [TestCase("exch.b32", 12, 10, 10)]
    [TestCase("inc.u32", 3, 3, 0)]
    [TestCase("inc.u32", 2, 3, 3)]
    [TestCase("dec.u32", 0, 3, 3)]
    [TestCase("dec.u32", 9, 3, 3)]
    [TestCase("dec.u32", 2, 3, 1)]
    public void An_atomic_gives_what_was_there(string operation, int there, int operand, int then)
    {
        using var device = new EmulatedDevice();
        var (place, result) = (device.Put(there), device.Empty<int>(1));
        device.Launch(EmulatedDevice.Kernel(2, $"""
            ld.param.u64 %d0, [p0]; ld.param.u64 %d1, [p1]; atom.global.{operation} %r1, [%d0], {operand};
            st.global.u32 [%d1], %r1;
            """), "test", new Dim3(1), new Dim3(1), 0, place, result);
        Assert.That((device.Get<int>(place, 1)[0], device.Get<int>(result, 1)[0]), Is.EqualTo((then, there)));
        if (operation.Split('.')[0] == "exch") return;
        // The same without a result.
        place = device.Put(there);
        device.Launch(EmulatedDevice.Kernel(1, $"ld.param.u64 %d0, [p0]; red.global.{operation} [%d0], {operand};"),
            "test", new Dim3(1), new Dim3(1), 0, place);
        Assert.That(device.Get<int>(place, 1)[0], Is.EqualTo(then));
    }

    [Test]
    public void Atomics_of_all_blocks_and_threads_add_up()
    {
        using var device = new EmulatedDevice();
        var (sum, floats, wide) = (device.Put(0), device.Put(0f), device.Put(0UL));
        device.Launch(EmulatedDevice.Kernel(3, """
            ld.param.u64 %d0, [p0]; ld.param.u64 %d1, [p1]; ld.param.u64 %d2, [p2]; mov.u32 %r1, %tid.x;
            setp.eq.u32 %p1, %r1, 0; @%p1 st.shared.u32 [room], 0; bar.sync 0;
            atom.shared.add.u32 %r2, [room], %r1; bar.sync 0;
            @%p1 ld.shared.u32 %r3, [room]; @%p1 red.global.add.u32 [%d0], %r3;
            red.global.add.f32 [%d1], 0f3F000000; atom.global.add.u64 %d3, [%d2], 5;
            """, ".shared .align 4 .b8 room[4];"), "test", new Dim3(7), new Dim3(96), 0, sum, floats, wide);
        Assert.That(device.Get<int>(sum, 1)[0], Is.EqualTo(7 * 96 * 95 / 2));
        Assert.That(device.Get<float>(floats, 1)[0], Is.EqualTo(7 * 96 / 2));
        Assert.That(device.Get<ulong>(wide, 1)[0], Is.EqualTo(7 * 96 * 5));
    }

    [Test]
    public void Parameters_are_structs_by_value_and_shared_memory_is_as_large_as_the_launch_says()
    {
        const string ptx = """
            .version 8.4
            .target sm_80
            .address_size 64
            .extern .shared .align 16 .b8 room[];
            .visible .entry test(.param .align 8 .b8 a[24])
            {
                .reg .b32 %r<8>; .reg .b64 %d<8>;
                ld.param.u64 %d0, [a]; ld.param.u32 %r0, [a+8]; mov.b64 %d1, a; ld.param.u64 %d2, [%d1+16];
                mov.u32 %r1, room; add.u32 %r2, %r1, %r0; st.shared.u32 [%r2], %r0; ld.shared.u32 %r3, [%r2];
                st.global.u32 [%d0], %r3; st.global.u64 [%d0+8], %d2; mov.u32 %r4, %dynamic_smem_size;
                st.global.u32 [%d0+4], %r4;
            }
            """;
        using var device = new EmulatedDevice();
        var result = device.Empty<int>(4);
        device.Launch(ptx, "test", new Dim3(1), new Dim3(1), 60_000,
            new Arguments { Result = result, At = 59_996, Last = 123 });
        Assert.That(device.Get<int>(result, 4), Is.EqualTo(new[] { 59_996, 60_000, 123, 0 }));
        var error = Assert.Throws<EmulatorException>(
            () => device.Launch(ptx, "test", new Dim3(1), new Dim3(1), 60_000,
                new Arguments { Result = result, At = 60_000, Last = 123 }));
        Assert.That(error!.Finding.Detail, Does.Contain("0 bytes behind the 60000 bytes of dynamic shared memory"));
    }
}
