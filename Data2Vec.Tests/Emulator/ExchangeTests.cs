using System.Numerics;
using Data2Vec.Kernels.Cuda;
using Data2Vec.Kernels.Emulator;
using NUnit.Framework;

namespace Data2Vec.Tests.Emulator;

/// <summary>
/// shfl, vote, match, redux, activemask, and lanes that part and meet (PTX manual, 9.7.8, 9.7.12, 9.7.13).
/// </summary>
public sealed class ExchangeTests
{
    [Test]
    public void Lanes_read_each_other(
        [Values("up", "down", "bfly", "idx")] string mode, [Values(32, 16, 8)] int width,
            [Values(0, 1, 3, 7, 18)] int by)
    {
        // What __shfl_*_sync of this width passes: segment mask and clamp.
        var clamp = (32 - width) << 8 | (mode == "up" ? 0 : 31);
        var actual = Run($"""
            shfl.sync.{mode}.b32 %r2|%p1, %r1, {by}, {clamp}, 0xffffffff;
            selp.u32 %r3, 1000, 0, %p1; add.u32 %r2, %r2, %r3;
            """);
        for (var lane = 0; lane < 32; lane++)
        {
            var (start, end) = (lane / width * width, lane / width * width + width - 1);
            var from = mode switch { "up" => lane - by, "down" => lane + by, "bfly" => lane ^ by, _ =>
                start + by % width };
            var inside = mode switch { "up" => from >= start, "bfly" => from <= end, _ => from <= end };
            Assert.That(actual[lane], Is.EqualTo(inside ? from + 1000u : (uint)lane), $"lane {lane}");
        }
    }

    [Test]
    public void Lanes_vote()
    {
        const string odd = "and.b32 %r3, %r1, 1; setp.eq.u32 %p1, %r3, 1;";
        Assert.That(Run(odd + "vote.sync.ballot.b32 %r2, %p1, -1;"), Is.All.EqualTo(0xaaaa_aaaa));
        Assert.That(Run(odd + "vote.sync.ballot.b32 %r2, !%p1, -1;"), Is.All.EqualTo(0x5555_5555));
        Assert.That(Run(odd + "vote.sync.any.pred %p2, %p1, -1; selp.u32 %r2, 1, 0, %p2;"), Is.All.EqualTo(1));
        Assert.That(Run(odd + "vote.sync.all.pred %p2, %p1, -1; selp.u32 %r2, 1, 0, %p2;"), Is.All.EqualTo(0));
        Assert.That(Run(odd + "vote.sync.uni.pred %p2, %p1, -1; selp.u32 %r2, 1, 0, %p2;"), Is.All.EqualTo(0));
    }

    [Test]
    public void Lanes_find_their_like_and_are_summed()
    {
        const string third = "rem.u32 %r3, %r1, 3;";
        var actual = Run(third + "match.any.sync.b32 %r2, %r3, 0xffffffff;");
        for (var lane = 0; lane < 32; lane++)
            Assert.That(actual[lane],
                Is.EqualTo(Enumerable.Range(0, 32).Where(k => k % 3 == lane % 3).Aggregate(0u, (m, k) => m | 1u << k)));
        Assert.That(Run(third + "match.all.sync.b32 %r2|%p1, %r3, 0xffffffff;"), Is.All.EqualTo(0));
        Assert.That(Run("mov.u32 %r3, 9; match.all.sync.b32 %r2|%p1, %r3, 0xffffffff;"), Is.All.EqualTo(uint.MaxValue));
        Assert.That(Run("redux.sync.add.u32 %r2, %r1, 0xffffffff;"), Is.All.EqualTo(496));
        Assert.That(Run("sub.s32 %r3, 3, %r1; redux.sync.min.s32 %r2, %r3, 0xffffffff;"),
            Is.All.EqualTo(unchecked((uint)-28)));
        Assert.That(Run("sub.s32 %r3, 3, %r1; redux.sync.max.u32 %r2, %r3, 0xffffffff;"),
            Is.All.EqualTo(uint.MaxValue));
        Assert.That(Run("redux.sync.xor.b32 %r2, %r1, 0xffffffff;"), Is.All.EqualTo(0));
    }

    [Test]
    public void A_branch_has_its_lanes_and_they_meet_behind_it()
    {
        var actual = Run("""
            setp.lt.u32 %p1, %r1, 10;
            @%p1 bra LOW;
            activemask.b32 %r2;
            shfl.sync.idx.b32 %r4, %r1, 10, 31, 0xfffffc00;
            bra JOIN;
            LOW:
            activemask.b32 %r2;
            shfl.sync.idx.b32 %r4, %r1, 9, 31, 0x000003ff;
            JOIN:
            activemask.b32 %r5;
            setp.ne.u32 %p2, %r5, 0xffffffff;
            @%p2 trap;
            shl.b32 %r4, %r4, 2; xor.b32 %r2, %r2, %r4;
            """);
        for (var lane = 0; lane < 32; lane++)
            Assert.That(actual[lane], Is.EqualTo(lane < 10 ? 0x3ffu ^ 36 : 0xfffffc00u ^ 40));
    }

    [Test]
    public void Lanes_that_have_left_are_active_no_more()
    {
        using var device = new EmulatedDevice();
        var result = device.Put(new int[64]);
        device.Launch(EmulatedDevice.Kernel(1, """
            ld.param.u64 %d0, [p0]; mov.u32 %r1, %tid.x; mul.wide.u32 %d1, %r1, 4; add.u64 %d0, %d0, %d1;
            prefetch.global.L1 [%d0]; prefetchu.L1 [%d0]; nop; pmevent 3;
            fence.acq_rel.gpu; fence.sc.cta; membar.gl; barrier.sync 0;
            setp.ge.u32 %p1, %r1, 37; @%p1 exit;
            bra.uni on;
            trap;
            on: activemask.b32 %r2; popc.b32 %r2, %r2; st.global.u32 [%d0], %r2;
            """), "test", new Dim3(1), new Dim3(64), 0, result);
        Assert.That(device.Get<int>(result, 64),
            Is.EqualTo(Enumerable.Range(0, 64).Select(i => i < 32 ? 32 : i < 37 ? 5 : 0)));
    }

    [Test]
    public void Lanes_of_a_loop_leave_one_by_one_and_meet_behind_it()
    {
        var actual = Run("""
            mov.u32 %r2, 0; mov.u32 %r3, 0;
            AGAIN:
            setp.ge.u32 %p1, %r3, %r1;
            @%p1 bra DONE;
            add.u32 %r2, %r2, %r3; add.u32 %r3, %r3, 1;
            bra AGAIN;
            DONE:
            activemask.b32 %r5; setp.ne.u32 %p2, %r5, 0xffffffff; @%p2 trap;
            """);
        Assert.That(actual, Is.EqualTo(Enumerable.Range(0, 32).Select(n => (uint)(n * (n - 1) / 2))));
    }

    [Test]
    public void An_exchange_waits_for_lanes_of_another_branch()
    {
        // Half of the lanes wait at a full exchange inside a branch; the others come by the same instruction later.
        var actual = Run("""
            mov.u32 %r3, 0; and.b32 %r4, %r1, 1; setp.eq.u32 %p1, %r4, 0;
            @%p1 bra MEET;
            mov.u32 %r3, 100;
            add.u32 %r3, %r3, 1;
            MEET:
            shfl.sync.bfly.b32 %r2, %r3, 1, 31, 0xffffffff;
            """);
        Assert.That(actual, Is.EqualTo(Enumerable.Range(0, 32).Select(n => n % 2 == 0 ? 101u : 0)));
        // Here a branch ends in the wait, and its meeting point lies behind: only who lets them take turns gets
        // through.
        actual = Run("""
            and.b32 %r4, %r1, 1; setp.eq.u32 %p1, %r4, 0; mov.u32 %r2, 7;
            @%p1 bra ELSE;
            bar.warp.sync 0xffffffff;
            mov.u32 %r2, 8;
            bra JOIN;
            ELSE:
            bar.warp.sync 0xffffffff;
            JOIN:
            activemask.b32 %r5; setp.ne.u32 %p2, %r5, 0xffffffff; @%p2 trap;
            """);
        Assert.That(actual, Is.EqualTo(Enumerable.Range(0, 32).Select(n => n % 2 == 0 ? 7u : 8)));
    }

    [Test]
    public void A_table_of_targets_sends_lanes_four_ways()
    {
        var actual = Run("""
            and.b32 %r3, %r1, 3; mov.u32 %r2, 0;
            TABLE: .branchtargets ZERO, ONE, ONE, THREE;
            brx.idx %r3, TABLE;
            ONE: add.u32 %r2, %r2, 10;
            ZERO: add.u32 %r2, %r2, 1;
            bra JOIN;
            THREE: mov.u32 %r2, 55;
            JOIN: activemask.b32 %r5; setp.ne.u32 %p2, %r5, 0xffffffff; @%p2 trap;
            """);
        uint[] expected = [1, 11, 11, 55];
        Assert.That(actual, Is.EqualTo(Enumerable.Range(0, 32).Select(n => expected[n % 4])));
    }

    [Test]
    public void A_lane_that_locks_lets_the_next_one_in()
    {
        // Every lane takes a lock by itself: lanes that spin must not keep out the one that holds it.
        using var device = new EmulatedDevice();
        var (place, sum) = (device.Put(0), device.Put(0));
        device.Launch(EmulatedDevice.Kernel(2, """
            ld.param.u64 %d0, [p0]; ld.param.u64 %d1, [p1];
            SPIN:
            atom.global.cas.b32 %r2, [%d0], 0, 1;
            setp.ne.u32 %p1, %r2, 0;
            @%p1 bra SPIN;
            ld.volatile.global.u32 %r3, [%d1]; add.u32 %r3, %r3, 1; st.volatile.global.u32 [%d1], %r3;
            membar.gl;
            atom.global.exch.b32 %r4, [%d0], 0;
            mov.u32 %r5, %laneid;
            bar.sync 0;
            """), "test", new Dim3(2), new Dim3(64), 0, place, sum);
        Assert.That(device.Get<int>(sum, 1)[0], Is.EqualTo(128));
    }

    [Test]
    public void Lanes_that_wait_long_for_a_loop_of_one_lane_meet_it_at_the_barrier()
    {
        // Longer than the patience with which lanes wait where branches meet, inside two branches.
        var actual = Run("""
            mov.u32 %r2, 1; mov.u32 %r3, 0; setp.lt.u32 %p1, %r1, 16; setp.eq.u32 %p2, %r1, 0;
            @!%p1 bra OUTER;
            @!%p2 bra INNER;
            AGAIN: add.u32 %r3, %r3, 1; setp.lt.u32 %p3, %r3, 200000; @%p3 bra AGAIN;
            INNER: add.u32 %r2, %r2, 1;
            OUTER: bar.sync 0;
            activemask.b32 %r5; setp.ne.u32 %p4, %r5, 0xffffffff; @%p4 trap;
            add.u32 %r2, %r2, %r3;
            """);
        Assert.That(actual, Is.EqualTo(Enumerable.Range(0, 32).Select(n => n == 0 ? 200_002u : n < 16 ? 2u : 1)));
    }

    [Test]
    public void Lanes_that_never_come_are_told()
    {
        var error = Assert.Throws<EmulatorException>(() => Run("""
            setp.lt.u32 %p1, %r1, 4; mov.u32 %r2, 0;
            @%p1 bra WAIT;
            NEVER: bar.warp.sync 0xfffffff1;
            bra DONE;
            WAIT: bar.warp.sync 0xffffffff;
            DONE: mov.u32 %r2, 1;
            """));
        Assert.That(error!.Finding.Kind, Is.EqualTo(FindingKind.Deadlock));
        error = Assert.Throws<EmulatorException>(() => Run("shfl.sync.idx.b32 %r2, %r1, 0, 31, 0x0000ffff;"));
        Assert.That(error!.Finding.Detail, Does.Contain("0x0000ffff").And.Contain("does not belong"));
        Assert.That(error.Finding.Thread.X, Is.EqualTo(16));
    }

    /// <summary>Runs a body for one warp, with the lane's number in %r1; what it leaves in %r2.</summary>
    private static uint[] Run(string body)
    {
        using var device = new EmulatedDevice();
        var result = device.Empty<uint>(32);
        device.Launch(EmulatedDevice.Kernel(1, $"""
            mov.u32 %r1, %laneid;
            {body}
            ld.param.u64 %d0, [p0]; mul.wide.u32 %d1, %r1, 4; add.u64 %d2, %d0, %d1; st.global.u32 [%d2], %r2;
            """), "test", new Dim3(1), new Dim3(32), 0, result);
        return device.Get<uint>(result, 32);
    }
}
