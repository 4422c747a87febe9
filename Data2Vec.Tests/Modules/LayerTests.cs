using Data2Vec.Engine;
using Data2Vec.Kernels;
using NUnit.Framework;

namespace Data2Vec.Tests.Modules;

/// <summary>Names, shapes and results of the layers that models are made of.</summary>
public sealed class LayerTests
{
    private Device device = null!;
    private Scope scope = null!;
    private ParameterStore store = null!;

    private ParameterScope Root => new(store, "model", TeacherRule.Copied);

    [SetUp]
    public void Open()
    {
        device = Device.Parse("cpu", 1);
        scope = device.Scope();
        store = new ParameterStore(device);
    }

    [TearDown]
    public void Close()
    {
        scope.Dispose();
        store.Dispose();
        device.Dispose();
    }

    [Test]
    public void Linear_is_the_weight_times_the_input_and_the_bias()
    {
        var layer = new LinearLayer(Root.Sub("linear"), 2, 3, Initializers.Ones);
        store.Build(seed: 1);
        AssertParameters(("model.linear.weight", new Shape(3, 2)), ("model.linear.bias", new Shape(3)));
        Assert.That(store.Read(ParameterPart.Student, 1), Is.All.Zero);
        store.Write(ParameterPart.Student, 0, [1, 2, 3, 4, 5, 6]);
        store.Write(ParameterPart.Student, 1, [0.5, 0, -1]);
        using var view = store.Student();
        var x = Tensor.From<float>(device, [1, 1, 2, -1], new Shape(1, 2, 2));
        Assert.That(layer.Forward(view, x).ToArray<float>(), Is.EqualTo(new float[] { 3.5f, 7, 10, 0.5f, 2, 3 }));
        var activated = layer.Forward(view, x, Activation.Gelu);
        Assert.That(activated.ToArray<float>(), Is.EqualTo(Ops.Gelu(layer.Forward(view, x)).ToArray<float>()).Within(1e-6f));
        Assert.That(activated.Shape, Is.EqualTo(new Shape(1, 2, 3)));
    }

    [Test]
    public void LayerNorm_starts_as_the_plain_normalisation()
    {
        var layer = new LayerNormLayer(Root.Sub("norm"), 4, eps: 0.5);
        store.Build(seed: 1);
        AssertParameters(("model.norm.weight", new Shape(4)), ("model.norm.bias", new Shape(4)));
        using var view = store.Student();
        var x = Tensor.From<float>(device, [1, 2, 3, 4], new Shape(1, 4));
        // Mean 2.5, biased variance 1.25.
        var expected = new[] { -1.5, -0.5, 0.5, 1.5 }.Select(v => (float)(v / Math.Sqrt(1.25 + 0.5))).ToArray();
        Assert.That(layer.Forward(view, x).ToArray<float>(), Is.EqualTo(expected).Within(1e-6f));
        store.Write(ParameterPart.Student, 0, [2, 2, 2, 2]);
        store.Write(ParameterPart.Student, 1, [1, 1, 1, 1]);
        var moved = layer.Forward(view, Tensor.Zeros(device, x.Shape, x.DType), residual: x);
        Assert.That(moved.ToArray<float>(), Is.EqualTo(expected.Select(v => 2 * v + 1)).Within(1e-6f));
    }

    [Test]
    public void Embedding_looks_rows_up_and_leaves_its_padding_alone()
    {
        var layer = new EmbeddingLayer(Root.Sub("table"), 4, 2, deviation: 1, paddingRow: 1);
        store.Build(seed: 1);
        AssertParameters(("model.table.weight", new Shape(4, 2)));
        Assert.That(store.Read(ParameterPart.Student, 0)[2..4], Is.All.Zero, "the padding row starts at 0");
        store.Write(ParameterPart.Student, 0, [0, 1, 0, 0, 4, 5, 6, 7]);
        using var tape = new Tape(device);
        using var view = store.Student(tape);
        var y = layer.Forward(view, Tensor.From<int>(device, [3, 1, 3, 0], new Shape(2, 2)));
        Assert.That(y.Shape, Is.EqualTo(new Shape(2, 2, 2)));
        Assert.That(y.ToArray<float>(), Is.EqualTo(new float[] { 6, 7, 0, 0, 6, 7, 0, 1 }));
        tape.Backward(Ops.Sum(y));
        Assert.That(store.Read(ParameterPart.Gradient, 0), Is.EqualTo(new double[] { 1, 1, 0, 0, 0, 0, 2, 2 }));
    }

    [Test]
    public void A_scope_hands_its_prefix_and_teacher_rule_down()
    {
        var inner = Root.Sub("layer.3").Sub("attention");
        inner.Add("weight", new Shape(2), Initializers.Ones, learningRateScale: 0.5, weightDecay: 0.1);
        Assert.That(store.Parameters[0] with { Initializer = Initializers.Ones }, Is.EqualTo(new ParameterDeclaration(
            "model.layer.3.attention.weight", new Shape(2), Initializers.Ones, TeacherRule.Copied, 0.1, 0.5)));
        new ParameterScope(store, "").Add("free", new Shape(1), Initializers.Ones);
        Assert.That(store.Parameters[1].Name, Is.EqualTo("free"));
    }

    private void AssertParameters(params (string Name, Shape Shape)[] expected)
    {
        Assert.That(store.Parameters.Select(p => (p.Name, p.Shape)), Is.EqualTo(expected));
        Assert.That(store.Parameters.Select(p => p.Teacher), Is.All.EqualTo(TeacherRule.Copied));
    }
}
