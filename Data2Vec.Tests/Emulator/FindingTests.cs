using Data2Vec.Kernels.Cuda;
using Data2Vec.Kernels.Emulator;
using NUnit.Framework;

namespace Data2Vec.Tests.Emulator;

/// <summary>
/// Faults that kernels are known for, planted one by one: each is found, with its line, block and thread.
/// </summary>
public sealed class FindingTests
{
    [Test]
    public void A_read_one_element_behind_an_allocation_is_found()
    {
        // a[i] = b[i + 1] by 64 threads on 64 elements: the last thread reads behind the end.
        var f = Find(2, """
            .loc 1 7 5
            mov.u32 %r1, %tid.x;
            mul.wide.u32 %d3, %r1, 4;
            ld.param.u64 %d1, [p0];
            ld.param.u64 %d2, [p1];
            add.s64 %d4, %d2, %d3;
            add.s64 %d5, %d1, %d3;
            .loc 1 9 5
            ld.global.f32 %f1, [%d4+4];
            st.global.f32 [%d5], %f1;
            """, d => [d.Empty<float>(64), d.Put(new float[64])], new Dim3(1), 64);
        Assert.That(f.Kind, Is.EqualTo(FindingKind.OutOfBounds));
        Assert.That(f.Thread, Is.EqualTo(new Dim3(63, 0, 0)));
        Assert.That(f.Location, Is.EqualTo(new PtxLocation("planted.cu", 9, null)));
        Assert.That(f.Opcode, Is.EqualTo("ld.global.f32"));
        Assert.That(f.Detail, Does.Contain("0 bytes behind allocation").And.Contain("256 bytes"));
    }

    [Test]
    public void A_pointer_into_freed_memory_is_found()
    {
        var f = Find(1, "ld.param.u64 %d1, [p0]; ld.global.u32 %r1, [%d1+8];", d =>
        {
            var pointer = d.Put(1, 2, 3, 4);
            d.Driver.Free(pointer);
            return [pointer];
        }, new Dim3(1), 1);
        Assert.That(f.Kind, Is.EqualTo(FindingKind.OutOfBounds));
        Assert.That(f.Detail, Does.Contain("8 bytes into").And.Contain("freed"));
    }

    [Test]
    public void A_vector_load_from_an_odd_element_is_found()
    {
        var f = Find(1, "ld.param.u64 %d1, [p0];\n.loc 1 21 3\nld.global.v4.f32 {%f1, %f2, %f3, %f4}, [%d1+4];",
            d => [d.Put(new float[64])], new Dim3(1), 1);
        Assert.That(f.Kind, Is.EqualTo(FindingKind.Misaligned));
        Assert.That(f.Detail, Does.Contain("no multiple of 16"));
        Assert.That(f.Location, Is.EqualTo(new PtxLocation("planted.cu", 21, null)));
    }

    [TestCase("global", "ld.param.u64 %d1, [p0]; ld.global.u32 %r1, [%d1];")]
    [TestCase("shared", "mov.u32 %r2, sums; ld.shared.u32 %r1, [%r2+8];")]
    [TestCase("local", "mov.u64 %d1, depot; ld.local.u32 %r1, [%d1+4];")]
    public void A_read_of_what_nobody_wrote_is_found(string space, string body)
    {
        body = body.Replace("; ld.", ";\n.loc 1 17 9\nld.", StringComparison.Ordinal).Replace(
            ".loc 1 17 9\nld.param", "ld.param", StringComparison.Ordinal);
        var f = Find(1, $".local .align 8 .b8 depot[16]; {body}", d => [d.Empty<int>(4)], new Dim3(1), 1);
        Assert.That(f.Kind, Is.EqualTo(FindingKind.Uninitialised), space);
        Assert.That(f.Location, Is.EqualTo(new PtxLocation("planted.cu", 17, null)));
    }

    [Test]
    public void A_missing_barrier_is_found_where_the_second_thread_reads()
    {
        const string write = """
            mov.u32 %r1, %tid.x; shl.b32 %r2, %r1, 2; mov.u32 %r3, sums; add.u32 %r4, %r3, %r2;
            st.shared.u32 [%r4], %r1;
            """;
        // Every thread reads what the one 32 threads before it wrote.
        const string read = "\n.loc 1 12 1\nxor.b32 %r5, %r2, 128; add.u32 %r6, %r3, %r5; ld.shared.u32 %r7, [%r6];";
        Assert.That(() => Find(0, write + "bar.sync 0;" + read, _ => [], new Dim3(1), 64),
            Throws.TypeOf<AssertionException>());
        // Without the barrier the first warp would read what was never written: the fault is that of a race all the
        // same.
        var f = Find(0, write + write + read, _ => [], new Dim3(1), 64);
        Assert.That(f.Kind, Is.EqualTo(FindingKind.Uninitialised).Or.EqualTo(FindingKind.SharedRace));
        Assert.That(f.Location!.Line, Is.EqualTo(12));
    }

    [Test]
    public void Two_threads_that_write_one_word_race_unless_they_write_the_same()
    {
        const string write = "mov.u32 %r1, %tid.x; mov.u32 %r3, sums; st.shared.u32 [%r3], ";
        Assert.That(() => Find(0, write + "7;", _ => [], new Dim3(1), 64), Throws.TypeOf<AssertionException>());
        var f = Find(0, write.Replace("st.", "\n.loc 1 23 5\nst.", StringComparison.Ordinal) + "%r1;", _ => [], new Dim3(1), 64);
        Assert.That(f.Kind, Is.EqualTo(FindingKind.SharedRace));
        Assert.That(f.Thread, Is.EqualTo(new Dim3(1, 0, 0)));
        Assert.That(f.Location, Is.EqualTo(new PtxLocation("planted.cu", 23, null)));
        // Neighbours in one word are two places where a kernel has accesses of two bytes.
        const string halves = """
            mov.u32 %r1, %tid.x; mov.u32 %r3, sums; mad.lo.u32 %r4, %r1, 2, %r3; cvt.u16.u32 %h1, %r1;
            st.shared.u16 [%r4], %h1; bar.sync 0; xor.b32 %r4, %r4, 2; ld.shared.u16 %h2, [%r4];
            """;
        Assert.That(() => Find(0, halves, _ => [], new Dim3(1), 64), Throws.TypeOf<AssertionException>());
        Assert.That(f.Detail, Is.EqualTo(
            "writes byte 0 of sums, which thread (0, 0, 0) writes too, with no barrier between them"));
    }

    [Test]
    public void A_barrier_that_half_of_a_block_reaches_is_found()
    {
        var f = Find(0, """
            mov.u32 %r1, %tid.x; setp.ge.u32 %p1, %r1, 32;
            @%p1 bra DONE;
            .loc 1 31 5
            bar.sync 0;
            DONE:
            """, _ => [], new Dim3(1), 64);
        Assert.That(f.Kind, Is.EqualTo(FindingKind.Barrier));
        Assert.That(f.Location, Is.EqualTo(new PtxLocation("planted.cu", 31, null)));
        Assert.That(f.Detail, Does.Contain("32 of 64 threads"));
    }

    [Test]
    public void A_barrier_inside_a_branch_of_a_warp_is_found()
    {
        var f = Find(0, """
            mov.u32 %r1, %tid.x; setp.ge.u32 %p1, %r1, 7;
            @%p1 bra DONE;
            .loc 1 32 5
            bar.sync 0;
            DONE:
            mov.u32 %r2, %r1;
            """, _ => [], new Dim3(1), 32);
        Assert.That(f.Kind, Is.EqualTo(FindingKind.Barrier));
        Assert.That(f.Location, Is.EqualTo(new PtxLocation("planted.cu", 32, null)));
        Assert.That(f.Detail, Does.Contain("went another way"));
    }

    [Test]
    public void An_endless_loop_comes_to_an_end() => Assert.That(
        Find(0, "AGAIN: bra AGAIN;", _ => [], new Dim3(1), 32, d => d.Driver.Budget = 1_000_000).Kind,
            Is.EqualTo(FindingKind.Endless));

    /// <summary>Runs a kernel with one shared array "sums" of 64 words; the finding that it has to make.</summary>
    private static Finding Find(
        int parameters, string body, Func<EmulatedDevice, ulong[]> values, Dim3 grid, int threads,
            Action<EmulatedDevice>? prepare = null)
    {
        using var device = new EmulatedDevice();
        prepare?.Invoke(device);
        var ptx = EmulatedDevice.Kernel(
            parameters, body, ".file 1 \"planted.cu\"\n.shared .align 4 .b8 sums[256];");
        object[] arguments = [.. values(device).Cast<object>()];
        try
        {
            device.Launch(ptx, "test", grid, new Dim3(threads), 0, arguments);
        }
        catch (EmulatorException e)
        {
            Assert.That(e.Message, Does.Contain("test").And.Contain(e.Finding.Detail));
            return e.Finding;
        }
        throw new AssertionException("Nothing was found.");
    }
}
