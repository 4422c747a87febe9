using Data2Vec.Engine;
using Data2Vec.Kernels;
using NUnit.Framework;

namespace Data2Vec.Tests.Autograd;

/// <summary>How long tensors live.</summary>
public sealed class ScopeTests
{
    private Device device = null!;

    [SetUp]
    public void Open() => device = Device.Parse("reference");

    [TearDown]
    public void Close() => device.Dispose();

    [Test]
    public void Everything_made_in_a_scope_goes_with_it()
    {
        using (device.Scope())
        {
            Ops.Exp(Ops.Exp(Ones()));
            Assert.That(device.OutstandingBuffers, Is.EqualTo(3));
        }
        Assert.That(device.OutstandingBuffers, Is.Zero);
    }

    [Test]
    public void Use_after_the_scope_names_the_operation_that_made_the_tensor()
    {
        Tensor y;
        using (device.Scope()) y = Ops.Sigmoid(Ones());
        const string sentence =
            "The tensor Sigmoid (2, 3) float32 was used after its scope had ended; keep it with scope.Keep or use it earlier.";
        using var scope = device.Scope();
        using var tape = new Tape(device);
        Action[] uses =
        [
            () => Ops.Exp(y), () => Ops.Add(Ones(), y), () => y.ToArray<float>(), () => y.Reshape(6), () => y.Detach(),
            () => tape.Watch(y), () => Ops.Linear(Ones(), y), () => Ops.Concat([Ones(), y], 0), () => _ = y.Device,
        ];
        using (Assert.EnterMultipleScope())
        {
            foreach (var use in uses)
                Assert.That(() => use(), Throws.TypeOf<ObjectDisposedException>().With.Message.StartsWith(sentence));
        }
        Assert.That((y.Shape, y.DType, y.ToString()), Is.EqualTo((new Shape(2, 3), DType.Float32, "Sigmoid (2, 3) float32")));
    }

    [Test]
    public void A_kept_tensor_belongs_to_the_scope_outside()
    {
        using (device.Scope())
        {
            Tensor kept;
            using (var inner = device.Scope()) kept = inner.Keep(Ops.Exp(Ones()));
            Assert.That(kept.ToArray<float>()[0], Is.EqualTo(MathF.E).Within(1e-6f));
            Assert.That(device.OutstandingBuffers, Is.EqualTo(1));
        }
        Assert.That(device.OutstandingBuffers, Is.Zero);
    }

    [Test]
    public void Without_a_scope_outside_the_caller_disposes()
    {
        Tensor kept;
        using (var scope = device.Scope()) kept = scope.Keep(Ones());
        Assert.That(device.OutstandingBuffers, Is.EqualTo(1));
        kept.Dispose();
        Assert.That(device.OutstandingBuffers, Is.Zero);
        Assert.That(kept.Dispose, Throws.Nothing);
    }

    [Test]
    public void Only_its_own_tensors_can_be_kept_by_a_scope()
    {
        using var outer = device.Scope();
        var x = Ones();
        using var inner = device.Scope();
        Assert.That(() => inner.Keep(x), Throws.InvalidOperationException.With.Message.Contains("does not belong to this scope"));
    }

    [Test]
    public void A_tensor_may_be_disposed_before_its_scope()
    {
        using (device.Scope())
        {
            Ones().Dispose();
            Assert.That(device.OutstandingBuffers, Is.Zero);
        }
        Assert.That(device.OutstandingBuffers, Is.Zero);
    }

    [Test]
    public void Aliases_share_memory_until_the_last_is_gone()
    {
        using var outer = device.Scope();
        Tensor row;
        using (var inner = device.Scope())
        {
            var x = Tensor.From<float>(device, [1, 2, 3, 4, 5, 6], new Shape(3, 2));
            row = inner.Keep(Ops.Slice(x, 0, 1, 2).Reshape(2));
            Assert.That(device.OutstandingBuffers, Is.EqualTo(1));
        }
        Assert.That(row.ToArray<float>(), Is.EqualTo(new float[] { 3, 4 }));
    }

    [Test]
    public void Work_outside_of_a_scope_is_refused()
    {
        Assert.That(() => Ones(), Throws.InvalidOperationException.With.Message.Contains("No scope is open on this device"));
        Assert.That(device.OutstandingBuffers, Is.Zero);
    }

    [Test]
    public void Scopes_end_in_the_reverse_order_of_their_opening()
    {
        var outer = device.Scope();
        var inner = device.Scope();
        Assert.That(outer.Dispose, Throws.InvalidOperationException.With.Message.Contains("reverse order"));
        inner.Dispose();
        outer.Dispose();
        Assert.That(inner.Dispose, Throws.Nothing, "a second time does nothing");
        using var next = device.Scope();
        Ones();
        outer.Dispose();
        Assert.That(device.OutstandingBuffers, Is.EqualTo(1));
    }

    private Tensor Ones() => Tensor.Full(device, new Shape(2, 3), DType.Float32, 1);
}
