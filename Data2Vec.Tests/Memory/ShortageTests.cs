using Data2Vec.Engine;
using Data2Vec.Kernels;
using NUnit.Framework;

namespace Data2Vec.Tests.Memory;

/// <summary>Who runs out of memory is told which tensors hold it.</summary>
public sealed class ShortageTests
{
    /// <summary>More bytes than an address can count.</summary>
    private static readonly Shape TooLarge = new(1 << 20, 1 << 20, 1 << 5);

    [TestCase("cpu")]
    [TestCase("reference")]
    [TestCase("delayed")]
    public void The_sentence_names_what_was_wanted_and_what_is_held(string name)
    {
        using var device = Device.Parse(name, 1);
        using var scope = device.Scope();
        var small = Tensor.Zeros(device, new Shape(4), DType.Float32);
        var a = Tensor.Full(device, new Shape(300, 100), DType.Float32, 1);
        Ops.Exp(a);
        Ops.Exp(a);
        using (device.Scope()) Ops.Exp(Tensor.Zeros(device, new Shape(500, 500), DType.Float32));
        var sentence = Assert.Throws<OutOfMemoryException>(() => Tensor.Zeros(device, TooLarge, DType.Float32)).Message;
        Assert.That(sentence, Does.StartWith("Out of memory for Full float32 (1048576, 1048576, 32): The host could not give "));
        Assert.That(sentence, Does.Match(@"The largest: 2 x Unary float32 \(300, 100\) \([\d,]+ bytes\); 1 x Full float32 \(300, 100\) "
            + @"\([\d,]+ bytes\); 1 x Full float32 \(4\) \(256 bytes\)\.$"), "in order, and nothing that was given back");
        Assert.That(Ops.Exp(small).ToArray<float>(), Is.All.EqualTo(1), "the device goes on");
    }
}
