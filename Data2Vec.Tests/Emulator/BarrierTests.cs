using Data2Vec.Kernels.Cuda;
using Data2Vec.Kernels.Emulator;
using NUnit.Framework;

namespace Data2Vec.Tests.Emulator;

/// <summary>Barriers of blocks, by number and count, and what they order (PTX manual, 9.7.13.1).</summary>
public sealed class BarrierTests
{
    [TestCase("popc.u32 %r2, 0, %p1", 40)]
    [TestCase("and.pred %p2, 0, %p1; selp.u32 %r2, 1, 0, %p2", 0)]
    [TestCase("or.pred %p2, 0, %p1; selp.u32 %r2, 1, 0, %p2", 1)]
    [TestCase("and.pred %p2, 0, !%p3; selp.u32 %r2, 1, 0, %p2", 1)]
    public void A_barrier_reduces_over_all_threads(string reduction, int expected)
    {
        var actual = Run($"setp.lt.u32 %p1, %r1, 40; setp.gt.u32 %p3, %r1, 500; bar.red.{reduction};", 96);
        Assert.That(actual, Is.All.EqualTo(expected));
    }

    [Test]
    public void A_producer_arrives_and_a_consumer_waits()
    {
        // Two warps write and only arrive; the third waits for all 96 at barrier 3 and reads.
        const string body = """
            shl.b32 %r3, %r1, 2; mov.u32 %r4, room; add.u32 %r4, %r4, %r3; mov.u32 %r2, 0; setp.ge.u32 %p1, %r1, 64;
            @%p1 bra CONSUMER;
            st.shared.u32 [%r4], %r1;
            bar.arrive 3, 96;
            bra DONE;
            CONSUMER:
            BARRIER
            ld.shared.u32 %r2, [%r4-256];
            DONE: add.u32 %r2, %r2, 0;
            """;
        var actual = Run(body.Replace("BARRIER", "bar.sync 3, 96;", StringComparison.Ordinal), 96);
        Assert.That(actual, Is.EqualTo(Enumerable.Range(0, 96).Select(n => n < 64 ? 0 : n - 64)));
        // Without waiting the consumer reads what another warp writes: there by luck, or not.
        var error = Assert.Throws<EmulatorException>(
            () => Run(body.Replace("BARRIER", "", StringComparison.Ordinal), 96));
        Assert.That(error!.Finding.Kind, Is.EqualTo(FindingKind.SharedRace));
        Assert.That(error.Finding.Opcode, Is.EqualTo("ld.shared.u32"));
    }

    [Test]
    public void A_barrier_of_two_warps_orders_these_two_only()
    {
        // Warps 0 and 1 meet at barrier 1; warp 2 goes by, and reads or does not read what warp 0 wrote.
        const string body = """
            shl.b32 %r3, %r1, 2; mov.u32 %r4, room; add.u32 %r4, %r4, %r3; mov.u32 %r2, 0;
            setp.lt.u32 %p1, %r1, 32; setp.lt.u32 %p2, %r1, 64;
            @%p1 st.shared.u32 [%r4], %r1;
            @!%p2 bra THIRD;
            bar.sync 1, 64;
            @!%p1 ld.shared.u32 %r2, [%r4-128];
            bra DONE;
            THIRD:
            READ
            DONE: add.u32 %r2, %r2, 0;
            """;
        var actual = Run(body.Replace("READ", "", StringComparison.Ordinal), 96);
        Assert.That(actual, Is.EqualTo(Enumerable.Range(0, 96).Select(n => n is < 32 or >= 64 ? 0 : n - 32)));
        var error = Assert.Throws<EmulatorException>(
            () => Run(body.Replace("READ", "ld.shared.u32 %r2, [%r4-256];", StringComparison.Ordinal), 96));
        Assert.That(error!.Finding.Kind, Is.EqualTo(FindingKind.SharedRace));
        Assert.That(error.Finding.Detail, Does.Contain("thread (0, 0, 0) writes"));
    }

    [Test]
    public void Lanes_of_a_warp_are_ordered_by_a_warp_barrier_and_not_without()
    {
        const string write = "shl.b32 %r3, %r1, 2; mov.u32 %r4, room; add.u32 %r4, %r4, %r3; st.shared.u32 [%r4], %r1;";
        const string read = "xor.b32 %r3, %r3, 4; mov.u32 %r4, room; add.u32 %r4, %r4, %r3; ld.shared.u32 %r2, [%r4];";
        var actual = Run(write + "bar.warp.sync 0xffffffff;" + read, 32);
        Assert.That(actual, Is.EqualTo(Enumerable.Range(0, 32).Select(n => n ^ 1)));
        var error = Assert.Throws<EmulatorException>(() => Run(write + read, 32));
        Assert.That(error!.Finding.Kind, Is.EqualTo(FindingKind.SharedRace));
    }

    [Test]
    public void A_write_after_reads_needs_a_barrier_too()
    {
        const string begin = """
            shl.b32 %r3, %r1, 2; mov.u32 %r4, room; add.u32 %r4, %r4, %r3; st.shared.u32 [%r4], %r1; bar.sync 0;
            ld.shared.u32 %r2, [room+128];
            """;
        const string end = "setp.eq.u32 %p1, %r1, 32; @%p1 st.shared.u32 [%r4], %r2;";
        Assert.That(() => Run(begin + "bar.sync 0;" + end, 96), Throws.Nothing);
        var error = Assert.Throws<EmulatorException>(() => Run(begin + end, 96));
        Assert.That(error!.Finding.Kind, Is.EqualTo(FindingKind.SharedRace));
    }

    [Test]
    public void Barriers_that_do_not_fit_are_found()
    {
        var error = Assert.Throws<EmulatorException>(
            () => Run("setp.lt.u32 %p1, %r1, 32; @%p1 bra A; bar.sync 1; bra B; A: bar.sync 2; B: mov.u32 %r2, 0;",
                64));
        Assert.That(error!.Finding.Kind, Is.EqualTo(FindingKind.Barrier));
        Assert.That(error.Finding.Detail, Does.Contain("32 of 64 threads").And.Contain("others wait at"));
        error = Assert.Throws<EmulatorException>(() => Run("bar.sync 16;", 32));
        Assert.That(error!.Finding.Detail, Does.Contain("none is number 16"));
        // Lanes of a full warp that ended before a barrier.
        error = Assert.Throws<EmulatorException>(() => Run("setp.lt.u32 %p1, %r1, 3; @%p1 ret; bar.sync 0;", 32));
        Assert.That(error!.Finding.Detail, Does.Contain("0x00000007").And.Contain("which ended at"));
    }

    [Test]
    public void A_return_inside_a_branch_does_not_part_the_others_from_the_barrier()
    {
        // As compilers write "if (a) { if (b) return; ... } barrier": the inner way leads to the end, the rest meets.
        var error = Assert.Throws<EmulatorException>(() => Run("""
            setp.ge.u32 %p1, %r1, 8; setp.ge.u32 %p2, %r1, 90; mov.u32 %r2, 1;
            @!%p1 bra JOIN;
            @%p2 bra END;
            mov.u32 %r2, 2;
            JOIN: bar.sync 0;
            add.u32 %r2, %r2, 5;
            bra OUT;
            END: ret;
            OUT:
            """, 96));
        // Only the lanes that ended are missing, none of those that went the other way.
        Assert.That(error!.Finding.Detail, Does.Contain("0xfc000000").And.Contain("ended"));
    }

    /// <summary>Runs a body with the number of the thread in %r1; what it leaves in %r2.</summary>
    private static int[] Run(string body, int threads)
    {
        using var device = new EmulatedDevice();
        var result = device.Empty<int>(threads);
        device.Launch(EmulatedDevice.Kernel(1, $"""
            mov.u32 %r1, %tid.x;
            {body}
            ld.param.u64 %d0, [p0]; mul.wide.u32 %d1, %r1, 4; add.u64 %d2, %d0, %d1; st.global.u32 [%d2], %r2;
            """, ".shared .align 16 .b8 room[1024];"), "test", new Dim3(1), new Dim3(threads), 0, result);
        return device.Get<int>(result, threads);
    }
}
