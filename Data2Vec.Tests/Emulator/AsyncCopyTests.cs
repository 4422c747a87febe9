using Data2Vec.Kernels.Cuda;
using Data2Vec.Kernels.Emulator;
using NUnit.Framework;

namespace Data2Vec.Tests.Emulator;

/// <summary>
/// cp.async: bytes land at the wait for their group, and whoever looks earlier is told (PTX manual, 9.7.9.25).
/// </summary>
public sealed class AsyncCopyTests
{
    private const string Begin = """
        mov.u32 %r1, %tid.x; ld.param.u64 %d0, [p0]; ld.param.u64 %d1, [p1]; mul.wide.u32 %d2, %r1, 16;
        add.u64 %d3, %d0, %d2;
        add.u64 %d4, %d1, %d2; shl.b32 %r2, %r1, 4; mov.u32 %r3, tile; add.u32 %r4, %r3, %r2;
        """;

    private const string End =
        "ld.shared.v4.u32 {%r10, %r11, %r12, %r13}, [%r4]; st.global.v4.u32 [%d4], {%r10, %r11, %r12, %r13};";

    [Test]
    public void Bytes_land_at_the_wait()
    {
        var values = Enumerable.Range(0, 128).ToArray();
        Assert.That(Run(Begin + """
            cp.async.cg.shared.global [%r4], [%d3], 16;
            cp.async.commit_group; cp.async.wait_group 0;
            """ + End, values), Is.EqualTo(values));
        Assert.That(Run(Begin + "cp.async.ca.shared.global.L2::128B [%r4], [%d3], 16; cp.async.wait_all;" + End,
            values), Is.EqualTo(values));
        Assert.That(Run(Begin + """
            cp.async.ca.shared.global [%r4], [%d3], 4; cp.async.ca.shared.global [%r4+4], [%d3+4], 4;
            cp.async.ca.shared.global [%r4+8], [%d3+8], 8; cp.async.wait_all;
            """ + End, values), Is.EqualTo(values));
    }

    [Test]
    public void A_read_before_the_wait_is_found()
    {
        var f = Find(Begin + "cp.async.cg.shared.global [%r4], [%d3], 16; cp.async.commit_group;\n.loc 1 5 1\n" + End);
        Assert.That(f.Kind, Is.EqualTo(FindingKind.SharedRace));
        Assert.That(f.Detail, Is.EqualTo("reads byte 0 of tile, which a cp.async that nobody waited for will write"));
        Assert.That(f.Location!.Line, Is.EqualTo(5));
    }

    [Test]
    public void A_wait_lets_the_last_groups_go_on()
    {
        const string two = Begin + """
            cp.async.cg.shared.global [%r4], [%d3], 16; cp.async.commit_group;
            cp.async.cg.shared.global [%r4+1024], [%d3], 16; cp.async.commit_group; cp.async.wait_group 1;
            """;
        var values = Enumerable.Range(5, 128).ToArray();
        Assert.That(Run(two + End, values), Is.EqualTo(values));
        var f = Find(two + End.Replace("[%r4]", "[%r4+1024]", StringComparison.Ordinal));
        Assert.That(f.Detail, Does.Contain("byte 1024 of tile").And.Contain("cp.async"));
    }

    [Test]
    public void A_copy_that_was_not_committed_is_not_waited_for() => Assert.That(
        Find(Begin + "cp.async.cg.shared.global [%r4], [%d3], 16; cp.async.wait_group 0;" + End).Kind,
            Is.EqualTo(FindingKind.SharedRace));

    [Test]
    public void What_the_source_does_not_have_becomes_zeros_and_is_not_read()
    {
        var values = Enumerable.Range(1, 128).ToArray();
        // Thread t takes 16 - 4 (t mod 5) bytes, and with none it may point anywhere.
        var actual = Run(Begin + """
            rem.u32 %r5, %r1, 5; shl.b32 %r6, %r5, 2; mov.u32 %r7, 16; sub.u32 %r8, %r7, %r6; setp.eq.u32 %p1, %r8, 0;
            selp.b64 %d5, 4096, %d3, %p1;
            cp.async.cg.shared.global [%r4], [%d5], 16, %r8; cp.async.wait_all;
            """ + End, values);
        Assert.That(actual, Is.EqualTo(values.Select((v, i) => i % 4 < 4 - i / 4 % 5 ? v : 0)));
    }

    [Test]
    public void A_copy_into_what_another_warp_reads_is_a_race()
    {
        var f = Find(Begin + """
            st.shared.v4.u32 [%r4], {%r1, %r1, %r1, %r1}; bar.sync 0;
            setp.ge.u32 %p1, %r1, 32; xor.b32 %r5, %r4, 512;
            @%p1 ld.shared.u32 %r6, [%r5];
            @!%p1 cp.async.cg.shared.global [%r4], [%d3], 16;
            """, 64);
        Assert.That(f.Kind, Is.EqualTo(FindingKind.SharedRace));
        Assert.That(f.Opcode, Is.EqualTo("cp.async.cg.shared.global"));
    }

    [Test]
    public void Another_warp_sees_a_copy_only_behind_a_barrier()
    {
        const string copy = Begin + "cp.async.cg.shared.global [%r4], [%d3], 16; cp.async.wait_all;";
        const string other = "xor.b32 %r5, %r4, 512; ld.shared.u32 %r6, [%r5];";
        var values = Enumerable.Range(0, 256).ToArray();
        Assert.That(() => Run(copy + "bar.sync 0;" + other + End, values, 64), Throws.Nothing);
        // The second warp reads what the first copied: there, but no barrier says so.
        Assert.That(Find(copy + other, 64).Kind,
            Is.EqualTo(FindingKind.Uninitialised).Or.EqualTo(FindingKind.SharedRace));
    }

    private static int[] Run(string body, int[] values, int threads = 32)
    {
        using var device = new EmulatedDevice();
        var result = device.Empty<int>(values.Length);
        device.Launch(EmulatedDevice.Kernel(2, body, ".file 1 \"copy.cu\"\n.shared .align 16 .b8 tile[2048];"), "test",
            new Dim3(1),
            new Dim3(threads), 0, device.Put(values), result);
        return device.Get<int>(result, values.Length);
    }

    private static Finding Find(string body, int threads = 32)
    {
        try
        {
            Run(body, new int[4 * threads], threads);
        }
        catch (EmulatorException e)
        {
            return e.Finding;
        }
        throw new AssertionException("Nothing was found.");
    }
}
