using Data2Vec.Kernels.Cuda;
using Data2Vec.Kernels.Emulator;
using NUnit.Framework;

namespace Data2Vec.Tests.Emulator;

/// <summary>The driver around the interpreter: memory, graphs, events, and what it refuses.</summary>
public sealed unsafe class DriverTests
{
    /// <summary>a[i] += p1.</summary>
    private static readonly string AddTo = EmulatedDevice.Kernel(2, """
        mov.u32 %r1, %ctaid.x; mov.u32 %r2, %ntid.x; mov.u32 %r3, %tid.x; mad.lo.u32 %r4, %r1, %r2, %r3;
        mul.wide.u32 %d1, %r4, 4;
        ld.param.u64 %d0, [p0]; add.u64 %d0, %d0, %d1; ld.param.u32 %r5, [p1]; ld.global.u32 %r6, [%d0];
        add.u32 %r6, %r6, %r5;
        st.global.u32 [%d0], %r6;
        """);

    [Test]
    public void A_graph_is_recorded_without_running_and_replayed_with_the_parameters_of_then()
    {
        using var device = new EmulatedDevice();
        var driver = device.Driver;
        var (a, b) = (device.Put(1, 2, 3, 4), device.Put(0, 0, 0, 0));
        driver.BeginCapture();
        device.Launch(AddTo, "test", new Dim3(2), new Dim3(2), 0, a, 10UL);
        driver.CopyOnDevice(b, a, 16);
        driver.Fill(a, 0, 8);
        Assert.That(() => device.Get<int>(a, 4), Throws.TypeOf<CudaException>());
        var graph = driver.EndCapture();
        Assert.That(device.Get<int>(a, 4), Is.EqualTo(new[] { 1, 2, 3, 4 }));
        driver.LaunchGraph(graph);
        Assert.That((device.Get<int>(a, 4), device.Get<int>(b, 4)),
            Is.EqualTo((new[] { 0, 0, 13, 14 }, new[] { 11, 12, 13, 14 })));
        driver.LaunchGraph(graph);
        Assert.That(device.Get<int>(b, 4), Is.EqualTo(new[] { 10, 10, 23, 24 }));
        driver.DestroyGraph(graph);
        Assert.That(() => driver.LaunchGraph(graph), Throws.TypeOf<CudaException>());
    }

    [Test]
    public void Copies_carry_along_what_was_never_written()
    {
        using var device = new EmulatedDevice();
        var (a, b) = (device.Empty<int>(4), device.Put(1, 2, 3, 4));
        device.Driver.CopyOnDevice(b, a, 16);
        Assert.That(() => device.Launch(AddTo, "test", new Dim3(1), new Dim3(4), 0, b, 1UL),
            Throws.TypeOf<EmulatorException>().With.Message.Contains("never written"));
        device.Driver.Fill(b, 1, 16);
        device.Launch(AddTo, "test", new Dim3(1), new Dim3(4), 0, b, 1UL);
        Assert.That(device.Get<int>(b, 4), Is.All.EqualTo(0x0101_0102));
        // A pool that hands memory on says so.
        device.Driver.HandOut(b, 16, mayComeLate: false);
        Assert.That(() => device.Launch(AddTo, "test", new Dim3(1), new Dim3(4), 0, b, 1UL),
            Throws.TypeOf<EmulatorException>());
        device.Driver.Checks = false;
        Assert.That(() => device.Launch(AddTo, "test", new Dim3(1), new Dim3(4), 0, b, 1UL), Throws.Nothing);
    }

    [Test]
    public void What_a_pool_hands_out_for_fewer_bytes_ends_there_until_graphs_share_it()
    {
        using var device = new EmulatedDevice();
        var a = device.Empty<int>(64);
        device.Driver.HandOut(a, 40, mayComeLate: false);
        device.Driver.Fill(a, 0, 40);
        Assert.That(() => device.Launch(AddTo, "test", new Dim3(1), new Dim3(11), 0, a, 1UL),
            Throws.TypeOf<EmulatorException>().With.Message.Contains("0 bytes behind allocation 1 of 40 bytes"));
        device.Driver.BeginCapture();
        device.Driver.EndCapture();
        device.Driver.HandOut(a, 40, mayComeLate: false);
        device.Driver.Fill(a, 0, 256);
        Assert.That(() => device.Launch(AddTo, "test", new Dim3(1), new Dim3(11), 0, a, 1UL), Throws.Nothing);
    }

    [Test]
    public void The_first_block_in_order_tells_its_finding()
    {
        for (var run = 0; run < 5; run++)
        {
            using var device = new EmulatedDevice();
            var a = device.Put(new int[64]);
            var error = Assert.Throws<EmulatorException>(
                () => device.Launch(AddTo, "test", new Dim3(50), new Dim3(16), 0, a, 1UL));
            Assert.That((error!.Finding.Block.X, error.Finding.Thread.X), Is.EqualTo((4, 0)));
        }
    }

    [Test]
    public void What_a_device_would_refuse_is_refused()
    {
        using var device = new EmulatedDevice();
        var driver = device.Driver;
        Assert.That(() => driver.LoadModule("no ptx", "m"),
            Throws.TypeOf<CudaException>().With.Message.Contains("PTX line 1"));
        var module = driver.LoadModule(AddTo, "m");
        Assert.That(() => driver.GetFunction(module, "other"),
            Throws.TypeOf<CudaException>().With.Message.Contains("no kernel other"));
        var unknown = driver.LoadModule(EmulatedDevice.Kernel(0, "dp4a.s32.s32 %r1, %r2, %r3, %r4;"), "m");
        Assert.That(() => driver.GetFunction(unknown, "test"),
            Throws.TypeOf<CudaException>().With.Message.Contains("PTX line 13"));
        Assert.That(() => driver.GetFunction(99, "test"), Throws.TypeOf<CudaException>());
        var function = driver.GetFunction(module, "test");
        Assert.That(() => driver.Launch(function, new Dim3(1), new Dim3(1025), 0, [0, 0]),
            Throws.TypeOf<CudaException>());
        Assert.That(() => driver.Launch(function, new Dim3(0), new Dim3(1), 0, [0, 0]), Throws.TypeOf<CudaException>());
        Assert.That(() => driver.Launch(function, new Dim3(1), new Dim3(1), 0, [0]), Throws.TypeOf<CudaException>());
        Assert.That(() => driver.Launch(function, new Dim3(1), new Dim3(1), 50_000, [0, 0]),
            Throws.TypeOf<CudaException>());
        Assert.That(() => driver.SetDynamicShared(function, 200_000), Throws.TypeOf<CudaException>());
        Assert.That(() => driver.Free(12), Throws.TypeOf<CudaException>());
        Assert.That(() => driver.Fill(device.Put(1), 0, 5),
            Throws.TypeOf<CudaException>().With.Message.Contains("5 bytes"));
        Assert.That(driver.Allocate(long.MaxValue / 2), Is.Zero);
    }

    [Test]
    public void A_failed_assertion_and_a_trap_are_told()
    {
        using var device = new EmulatedDevice();
        var error = Assert.Throws<EmulatorException>(() => device.Launch(EmulatedDevice.Kernel(0, """
            mov.u32 %r1, %tid.x; setp.ne.u32 %p1, %r1, 9; @%p1 bra FINE;
            { .param .b64 message; st.param.b64 [message+0], %d1; call.uni __assertfail, (message); }
            FINE:
            """), "test", new Dim3(1), new Dim3(32), 0));
        Assert.That((error!.Finding.Kind, error.Finding.Thread.X), Is.EqualTo((FindingKind.Trap, 9)));
        Assert.That(error.Finding.Detail, Does.Contain("assertion"));
    }

    [Test]
    public void Events_tell_the_time_between_them()
    {
        using var device = new EmulatedDevice();
        var driver = device.Driver;
        var (from, to) = (driver.CreateEvent(), driver.CreateEvent());
        driver.RecordEvent(from);
        Thread.Sleep(20);
        driver.RecordEvent(to);
        Assert.That(driver.Milliseconds(from, to), Is.GreaterThan(15));
        driver.DestroyEvent(from);
        Assert.That(() => driver.RecordEvent(from), Throws.TypeOf<CudaException>());
    }
}
