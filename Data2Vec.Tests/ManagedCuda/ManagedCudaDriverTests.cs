using System.Reflection;
using Data2Vec.Bench.Cases;
using Data2Vec.Bench.Running;
using Data2Vec.Engine;
using Data2Vec.Kernels;
using Data2Vec.Kernels.Cuda;
using Data2Vec.Kernels.Emulator;
using ManagedCuda;
using NUnit.Framework;

namespace Data2Vec.Tests.ManagedCuda;

/// <summary>
/// The file that builds with ManagedCuda have, compiled here against a stand-in of what it uses of the package, and
/// run: the stand-in's calls end at the emulator. The package itself is not here: what it does beyond its signatures is
/// untested.
/// </summary>
public sealed class ManagedCudaDriverTests
{
    [SetUp]
    public void Begin() => (DriverAPINativeMethods.Emulator, DriverAPINativeMethods.Calls) = (new EmulatedDriver(), []);

    [TearDown]
    public void End() => (DriverAPINativeMethods.Emulator, DriverAPINativeMethods.Calls) = (null, null);

    [Test]
    public void Kernels_of_both_kinds_run_through_it()
    {
        using var device = new Device("managedcuda", new CudaBackend(new CudaRuntime(ManagedCudaDriver.Open(0))));
        using var oracle = Device.Parse("reference");
        Assert.That(device.ToString(), Does.StartWith("cuda (emulator (sm_80) through ManagedCuda, sm_80, "));
        string[] ops = ["MatMul", "Softmax"];
        var cases = Bench.Cases.Catalogue.Cases.Where(c => c.Size == CaseSize.Tiny
            && ops.Any(o => c.Id.StartsWith(o, StringComparison.Ordinal))).ToArray();
        Assert.That(cases, Has.Length.GreaterThan(10));
        foreach (var c in cases)
        {
            var row = new Verifier(device, oracle, DType.Float32).Verify(c);
            Assert.That(row.Status, Is.EqualTo(Status.Passed), $"{c.Id}: {row.Reason}");
        }
    }

    [Test]
    public unsafe void Every_call_of_the_stand_in_is_made_and_does_what_it_says()
    {
        var driver = ManagedCudaDriver.Open(0);
        var kernel = CudaProducts.All.First(k => k.MostSharedBytes > 0);
        var function = driver.GetFunction(driver.LoadModule(kernel.Source.Ptx(), "m"), kernel.Entry);
        driver.SetDynamicShared(function, kernel.MostSharedBytes);

        var (host, a, b) = (driver.AllocateHost(64), driver.Allocate(64), driver.Allocate(64));
        var numbers = new Span<byte>((void*)host, 64);
        for (var i = 0; i < 64; i++) numbers[i] = (byte)i;
        var (from, to) = (driver.CreateEvent(), driver.CreateEvent());
        driver.RecordEvent(from);
        driver.CopyToDevice(a, host, 64);
        driver.Fill(b, 7, 64);
        driver.BeginCapture();
        driver.CopyOnDevice(b + 8, a + 4, 32);
        var graph = driver.EndCapture();
        driver.CopyToHost(host, b, 64);
        Assert.That(numbers.ToArray(), Is.All.EqualTo(7), "what is captured does not run");
        driver.LaunchGraph(graph);
        driver.DestroyGraph(graph);
        driver.RecordEvent(to);
        driver.WaitFor(to);
        Assert.That(driver.Milliseconds(from, to), Is.GreaterThanOrEqualTo(0));
        driver.CopyToHost(host, b, 64);
        driver.Synchronize();
        Assert.That(numbers[..8].ToArray().Concat(numbers[40..].ToArray()), Is.All.EqualTo(7));
        Assert.That(numbers[8..40].ToArray(), Is.EqualTo(Enumerable.Range(4, 32)));
        Assert.That(driver.Allocate(1L << 60), Is.Zero, "no more memory");
        LaunchNothing();
        driver.DestroyEvent(from);
        driver.DestroyEvent(to);
        driver.Free(a);
        driver.Free(b);
        driver.FreeHost(host);
        driver.Dispose();

        var declared = typeof(DriverAPINativeMethods).GetNestedTypes().SelectMany(
            t => t.GetMethods(BindingFlags.Static | BindingFlags.Public)).Select(m => m.Name);
        Assert.That(DriverAPINativeMethods.Calls, Is.EquivalentTo(declared));

        void LaunchNothing() => Assert.That(() => driver.Launch(12345, new Dim3(1), new Dim3(32), 0, [host]),
            Throws.TypeOf<Data2Vec.Kernels.Cuda.CudaException>().With.Message.EqualTo(
                "cuLaunchKernel failed with ErrorLaunchFailed while launching "
                + $"{new Dim3(1)} blocks of {new Dim3(32)} threads."));
    }

    [Test]
    public void What_fails_is_said_in_a_sentence()
    {
        var driver = ManagedCudaDriver.Open(0);
        Assert.That(() => driver.LoadModule("no ptx", "broken"), Throws.TypeOf<Data2Vec.Kernels.Cuda.CudaException>()
            .With.Message.StartsWith("cuModuleLoadDataEx failed with ErrorInvalidPtx while loading broken: The emulator"));
        Assert.That(() => ManagedCudaDriver.Open(5), Throws.TypeOf<NotSupportedException>().With.Message
            .EqualTo("The device 'cuda:5' cannot be used through ManagedCuda: ErrorInvalidDevice"));
        driver.Dispose();
        Assert.That(() => CudaBinding.Open(0, "managedcuda"), Throws.TypeOf<NotSupportedException>().With.Message
            .Contains("-p:ManagedCuda=true"));
        Assert.That(() => CudaBinding.Open(0, "other"), Throws.TypeOf<NotSupportedException>().With.Message
            .EqualTo("DATA2VEC_CUDA_BINDING is 'other'; expected 'driver' or 'managedcuda'."));
    }
}
