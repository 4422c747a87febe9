using Data2Vec.Kernels.Cuda;
using Data2Vec.Kernels.Emulator;
using NUnit.Framework;

namespace Data2Vec.Tests.Emulator;

/// <summary>What is counted of a launch: bytes, sectors, conflicts of banks, instructions.</summary>
public sealed class CounterTests
{
    [TestCase(4, 4, 0)]
    [TestCase(8, 8, 4)]
    [TestCase(32, 32, 28)]
    [TestCase(0, 1, 0)]
    [TestCase(128, 32, 28)]
    public void Sectors_are_those_that_the_lanes_touch(int stride, int sectors, int more)
    {
        // 32 lanes read a float each, so many bytes apart.
        var c = Count($"""
            mul.lo.u32 %r2, %r1, {stride}; cvt.u64.u32 %d1, %r2; add.u64 %d2, %d0, %d1;
            ld.global.u32 %r3, [%d2];
            """);
        Assert.That(c.GlobalRead, Is.EqualTo(128));
        Assert.That(c.Sectors, Is.EqualTo(sectors));
        Assert.That(c.Sectors - c.SectorsNeeded, Is.EqualTo(stride == 0 ? 0 : more));
    }

    [Test]
    public void A_row_that_begins_between_sectors_takes_one_more()
    {
        var c = Count("mul.wide.u32 %d1, %r1, 4; add.u64 %d2, %d0, %d1; ld.global.u32 %r3, [%d2+4];");
        Assert.That((c.Sectors, c.SectorsNeeded), Is.EqualTo((5, 4)));
    }

    // Bytes of an access, bytes from lane to lane, and how often a bank is asked again for another word.
    [TestCase(4, 4, 1, 0)]
    [TestCase(4, 8, 2, 1)]
    [TestCase(4, 128, 32, 31)]
    [TestCase(4, 132, 1, 0)]
    [TestCase(4, 0, 1, 0)]
    [TestCase(2, 2, 1, 0)]
    [TestCase(8, 8, 2, 0)]
    [TestCase(8, 16, 4, 2)]
    [TestCase(16, 16, 4, 0)]
    [TestCase(16, 32, 8, 4)]
    [TestCase(16, 144, 4, 0)]
    public void Conflicts_are_other_words_of_one_bank(int bytes, int stride, int wavefronts, int conflicts)
    {
        var (type, registers) = bytes switch
        {
            2 => ("b16", "%h1"), 4 => ("b32", "%r4"), 8 => ("b64", "%d4"), _ => ("v4.b32", "{%r4, %r5, %r6, %r7}"),
        };
        var c = Count($"""
            mov.b16 %h1, 0; mov.b32 %r4, 0; mov.b64 %d4, 0; mov.b32 %r5, 0; mov.b32 %r6, 0; mov.b32 %r7, 0;
            mov.u32 %r3, room;
            mad.lo.u32 %r2, %r1, {stride}, %r3; st.shared.{type} [%r2], {registers};
            """);
        Assert.That((c.Wavefronts, c.BankConflicts, c.SharedWritten), Is.EqualTo((wavefronts, conflicts, 32 * bytes)));
    }

    [TestCase(16, 4, 0)]
    [TestCase(32, 8, 4)]
    [TestCase(144, 4, 0)]
    public void A_copy_asks_the_banks_as_a_store_does(int stride, int wavefronts, int conflicts)
    {
        var c = Count($"""
            mov.u32 %r3, room; mad.lo.u32 %r2, %r1, {stride}, %r3;
            cp.async.cg.shared.global [%r2], [%d0], 16; cp.async.wait_all;
            """);
        Assert.That((c.Wavefronts, c.BankConflicts, c.SharedWritten), Is.EqualTo((wavefronts, conflicts, 32 * 16)));
    }

    [Test]
    public void Instructions_are_counted_by_class_and_lane()
    {
        var c = Count("""
            setp.lt.u32 %p1, %r1, 5; @%p1 add.u32 %r2, %r1, 1; mul.f32 %f1, %f2, %f3;
            @%p1 bra END; mov.u32 %r3, 1; END: mov.u32 %r4, 1;
            """);
        Assert.That(c.Warp[(int)InstructionClass.Integer], Is.EqualTo(1));
        Assert.That(c.Lane[(int)InstructionClass.Integer], Is.EqualTo(5));
        Assert.That(c.Lane[(int)InstructionClass.Float], Is.EqualTo(32));
        // tid, the one that 27 lanes run, and the one behind.
        Assert.That(c.Lane[(int)InstructionClass.Move], Is.EqualTo(32 + 27 + 32));
        Assert.That((c.Divergences, c.Blocks), Is.EqualTo((1, 1)));
    }

    [Test]
    public void A_matrix_load_of_rows_that_are_not_spread_over_the_banks_takes_eight_times_as_long()
    {
        static string Load(int row) => $"""
            mov.u32 %r3, room; mov.b32 %r4, 0; mad.lo.u32 %r2, %r1, {row}, %r3;
            st.shared.v4.b32 [%r2], %r4, %r4, %r4, %r4;
            """.Replace("%r4, %r4, %r4, %r4;", "{%r4, %r4, %r4, %r4};", StringComparison.Ordinal) + """
            bar.sync 0; ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%r5, %r6, %r7, %r8}, [%r2];
            """;
        var (spread, alike) = (Count(Load(16)), Count(Load(128)));
        Assert.That(spread.Wavefronts, Is.EqualTo(4 + 4));
        Assert.That(spread.BankConflicts, Is.Zero);
        Assert.That(alike.Wavefronts, Is.EqualTo(32 + 32));
    }

    private static Counters Count(string body)
    {
        using var device = new EmulatedDevice();
        var data = device.Put(new int[2048]);
        device.Launch(EmulatedDevice.Kernel(1, "mov.u32 %r1, %tid.x; ld.param.u64 %d0, [p0];\n" + body,
            ".shared .align 16 .b8 room[4800];"), "test", new Dim3(1), new Dim3(32), 0, data);
        return device.Driver.LastLaunch;
    }
}
