using System.Diagnostics;
using Data2Vec.Engine;
using Data2Vec.Kernels;
using NUnit.Framework;

namespace Data2Vec.Tests.Memory;

/// <summary>The leak check can fail: another process runs <see cref="LeakingTests"/>.</summary>
public sealed class NoLeakedBuffersTests
{
    [Test]
    public void A_test_that_leaks_fails()
    {
        var start = new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet")
        {
            RedirectStandardOutput = true,
            ArgumentList =
            {
                typeof(LeakingTests).Assembly.Location, "--filter", $"FullyQualifiedName~{nameof(LeakingTests)}.",
            },
        };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        var tests = typeof(LeakingTests).GetMethods().Count(m => m.IsDefined(typeof(TestAttribute), false));
        Assert.That(output, Does.Contain($"failed: {tests}").And.Contain("succeeded: 0"), output);
        Assert.That(output, Does.Contain("A_kept_tensor_is_forgotten leaks: 1 buffers of the device reference"));
        Assert.That(output, Does.Contain("A_kept_tensor_is_forgotten_behind_a_queue leaks: 1 buffers of the device delayed"));
        Assert.That(output, Does.Contain("A_store_is_not_disposed leaks: 3 buffers of the device cpu"));
        Assert.That(output, Does.Contain("A_device_is_not_disposed leaks: a device reference was made and not disposed"));
    }

    [Test]
    public void A_device_of_the_whole_fixture_may_keep_what_it_had()
    {
        using var device = Device.Parse("reference");
        var scope = device.Scope();
        Tensor.Zeros(device, new Shape(3), DType.Float32);
        DeviceWatch.Mark();
        Assert.That(DeviceWatch.Leaks(), Is.Empty);
        Tensor.Zeros(device, new Shape(3), DType.Float32);
        Assert.That(DeviceWatch.Leaks(), Is.EqualTo(new[] { "1 buffers of the device reference were not given back" }));
        scope.Dispose();
        Assert.That(DeviceWatch.Leaks(), Is.Empty);
    }
}
