using System.Runtime.InteropServices;
using Data2Vec.Engine;
using Data2Vec.Kernels;
using NUnit.Framework;

namespace Data2Vec.Tests.Devices;

/// <summary>bfloat16 on a backend that computes in float32: widened, computed, rounded once.</summary>
public sealed class WideningBackendTests
{
    private readonly Random random = new(1);

    [Test]
    public void A_result_is_the_float32_result_rounded_once()
    {
        using var device = Device.Parse("cpu", 1);
        using var scope = device.Scope();
        var x = Ops.Cast(Numbers(device, new Shape(37, 24)), DType.BFloat16);
        var w = Ops.Cast(Numbers(device, new Shape(16, 24)), DType.BFloat16);
        var narrow = Ops.Linear(x, w, null, Activation.Gelu);
        var full = Ops.Linear(Ops.Cast(x, DType.Float32), Ops.Cast(w, DType.Float32), null, Activation.Gelu);
        Assert.That(narrow.DType, Is.EqualTo(DType.BFloat16));
        Assert.That(narrow.ToDoubles(), Is.EqualTo(Ops.Cast(full, DType.BFloat16).ToDoubles()));
    }

    [Test]
    public void An_operation_in_place_reads_before_it_writes()
    {
        using var backend = CpuBackend.Create(1);
        var buffer = backend.Allocate(2 * 8);
        var view = new BufferView(buffer, 0, DType.BFloat16);
        ushort[] bits = [.. Enumerable.Range(0, 8).Select(i => Bits(i))];
        backend.Upload(MemoryMarshal.AsBytes<ushort>(bits), view);
        backend.Unary(new UnaryArgs { Op = UnaryOp.Affine, X = view.At(2), Y = view.At(2), Count = 4, A = 2, B = 1 });
        backend.Download(view, MemoryMarshal.AsBytes(bits.AsSpan()));
        float[] expected = [0, 1, 5, 7, 9, 11, 6, 7];
        Assert.That(bits, Is.EqualTo(expected.Select(Bits)), "what lies beside the operand stays as it was");
        backend.Free(buffer);
        Assert.That(backend.Memory.OutstandingBuffers, Is.Zero);
    }

    [Test]
    public void What_fails_gives_its_copies_back()
    {
        using var backend = CpuBackend.Create(1);
        var buffer = backend.Allocate(64);
        var view = new BufferView(buffer, 0, DType.BFloat16);
        Assert.That(() => backend.Unary(new UnaryArgs
        {
            Op = UnaryOp.Exp, X = view, Y = new BufferView(buffer, 0, DType.Int32), Count = 4,
        }), Throws.TypeOf<NotSupportedException>());
        Assert.That(backend.Memory.OutstandingBuffers, Is.EqualTo(1));
        backend.Free(buffer);
    }

    private static ushort Bits(float value) => (ushort)(BitConverter.SingleToUInt32Bits(value) >> 16);

    private static ushort Bits(int value) => Bits((float)value);

    private Tensor Numbers(Device device, Shape shape) => Tensor.From<float>(
        device, [.. Enumerable.Range(0, (int)shape.Count).Select(_ => random.NextSingle() * 2 - 1)], shape);
}
