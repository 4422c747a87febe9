using Data2Vec.Engine;
using Data2Vec.Kernels;
using NUnit.Framework;

namespace Data2Vec.Tests.Devices;

/// <summary>Devices by name: none is chosen in silence, and none is taken for another.</summary>
public sealed class DeviceParsingTests
{
    [TestCase("cpu", "cpu (", false)]
    [TestCase("reference", "reference (double precision", true)]
    [TestCase("delayed", "delayed (cpu (", false)]
    [TestCase("delayed:reference", "delayed (reference (", true)]
    [TestCase("emulator", "cuda (emulator (sm_80), sm_80, ", false)]
    [TestCase("ilgpu:cpu", "ilgpu (CPUAccelerator, cpu)", false)]
    public void A_name_gives_the_device_of_that_name(string name, string description, bool hasFloat64)
    {
        using var device = Device.Parse(name);
        Assert.That(device.Name, Is.EqualTo(name));
        Assert.That(device.ToString(), Does.StartWith(description));
        Assert.That(device.Backend.Supports(DType.Float64), Is.EqualTo(hasFloat64));
        Assert.That(device.Backend.Computes(DType.Float32));
        Assert.That(device.Backend.Computes(DType.Int32), Is.False);
    }

    [TestCase("cpus")]
    [TestCase("CPU")]
    [TestCase("")]
    [TestCase(" cpu")]
    [TestCase("gpu")]
    [TestCase("delayed:")]
    [TestCase("cpu:0")]
    [TestCase("cuda")]
    [TestCase("cuda:-1")]
    [TestCase("emulator:0")]
    [TestCase("ilgpu")]
    [TestCase("ilgpu:")]
    [TestCase("ilgpu:-1")]
    [TestCase("ilgpu:one")]
    [TestCase("ilgpu: 0")]
    public void Another_name_is_refused_with_the_list(string name) => Assert.That(() => Device.Parse(name),
        Throws.ArgumentException.With.Message.Match(
            $"^There is no device '{name}'; expected one of cpu, reference, .*delayed, .*auto"));

    [Test]
    public void A_GPU_that_is_not_there_is_refused_with_those_that_are()
    {
        var beyond = IlgpuDevices.Find().Count;
        Assert.That(() => Device.Parse($"ilgpu:{beyond}"), Throws.ArgumentException.With.Message.Match(
            beyond == 0 ? $"^There is no device 'ilgpu:{beyond}'; ILGPU finds no GPU on this machine.$"
            : $"^There is no device 'ilgpu:{beyond}'; there are: ilgpu:0 "));
    }

    [Test]
    public void A_CUDA_device_that_is_not_there_is_refused_with_the_reason()
    {
        var beyond = CudaDevices.Count(out var reason);
        Assert.That(() => Device.Parse($"cuda:{beyond}"), Throws.TypeOf<NotSupportedException>().With.Message.EqualTo(
            beyond == 0 ? $"The device 'cuda:0' cannot be used: there is no CUDA device ({reason})."
            : $"There is no device 'cuda:{beyond}'; the driver has {beyond} devices."));
        Assert.That(reason, beyond == 0 ? Is.Not.Empty : Is.Empty);
    }

    [Test]
    public void Auto_tells_what_it_chose_and_why()
    {
        var told = new List<string>();
        using var device = Device.Parse("auto", log: told.Add);
        Assert.That(told, Has.Count.EqualTo(1));
        Assert.That(told[0], Does.StartWith("device auto: ").And.Contain(device.ToString()).And.Match(@"\(.*GPU.*\)$"));
    }

    [Test]
    public void The_number_of_threads_is_that_asked_for()
    {
        using var one = Device.Parse("cpu", 1);
        using var three = Device.Parse("cpu", 3);
        using var all = Device.Parse("cpu");
        Assert.That(one.ToString(), Does.EndWith("1 thread)"));
        Assert.That(three.ToString(), Does.EndWith("3 threads)"));
        Assert.That(all.ToString(), Does.Contain($"{Environment.ProcessorCount} thread"));
        Assert.That(() => Device.Parse("cpu", -1), Throws.InstanceOf<ArgumentException>()
            .With.Message.StartsWith("Threads must not be negative; got -1."));
    }

    [Test]
    public void Operands_of_two_devices_do_not_meet()
    {
        using var cpu = Device.Parse("cpu", 1);
        using var reference = Device.Parse("reference");
        using var here = cpu.Scope();
        using var there = reference.Scope();
        var x = Tensor.Zeros(cpu, new Shape(2, 2), DType.Float32);
        var y = Tensor.Zeros(reference, new Shape(2, 2), DType.Float32);
        Assert.That(() => Ops.Add(x, y), Throws.ArgumentException.With.Message.Match(
            "^Add: operands must be on one device; got cpu .* and reference .*$"));
        Assert.That(() => Ops.MatMul(y, x), Throws.ArgumentException);
        var q = Tensor.Zeros(cpu, new Shape(1, 2, 1, 2), DType.Float32);
        var bias = Tensor.Zeros(reference, new Shape(1, 2, 2), DType.Float32);
        Assert.That(() => Ops.Attention(q, q, q, new AttentionOptions(Bias: bias)), Throws.ArgumentException);
    }

    [Test]
    public void A_type_that_a_device_does_not_have_or_compute_in_is_refused()
    {
        using var cpu = Device.Parse("cpu", 1);
        using var scope = cpu.Scope();
        Assert.That(() => Tensor.Zeros(cpu, new Shape(2), DType.Float64),
            Throws.TypeOf<NotSupportedException>().With.Message.Match("^cpu .* has no float64 tensors.$"));
        var x = Ops.Cast(Tensor.Full(cpu, new Shape(3), DType.Float32, 1.5), DType.BFloat16);
        Assert.That(Ops.Cast(x, DType.Float32).ToArray<float>(), Is.All.EqualTo(1.5f));
        var before = cpu.OutstandingBuffers;
        var n = Tensor.From<int>(cpu, [1, 2, 3], new Shape(3));
        Assert.That(() => Ops.Exp(n), Throws.ArgumentException);
        Assert.That(() => Ops.Add(n, n), Throws.InstanceOf<Exception>());
        n.Dispose();
        Assert.That(cpu.OutstandingBuffers, Is.EqualTo(before));
    }

    [Test]
    public void Disposing_twice_is_once()
    {
        var device = Device.Parse("cpu", 2);
        device.Dispose();
        Assert.That(device.Dispose, Throws.Nothing);
    }
}
