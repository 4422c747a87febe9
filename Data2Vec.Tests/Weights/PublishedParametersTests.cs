using Data2Vec.Engine;
using Data2Vec.Kernels;
using Data2Vec.Models.Weights;
using NUnit.Framework;

namespace Data2Vec.Tests.Weights;

/// <summary>One map places weights, gradients and optimiser state alike.</summary>
public sealed class PublishedParametersTests
{
    private static readonly ParameterPart[] Parts =
        [ParameterPart.Student, ParameterPart.Moment1, ParameterPart.Moment2];

    [TestCaseSource(nameof(Parts))]
    public void Every_tensor_of_every_class_is_read_as_it_was_written_and_has_its_own_place(ParameterPart part)
    {
        foreach (var name in PublishedClasses.Names)
        {
            using var device = Device.Parse("reference");
            using var store = new ParameterStore(device);
            var parameters = PublishedClasses.Declare(name, TinyModels.Config(name), store).Parameters;
            store.Build(1);
            var next = 1.0;
            var written = new Dictionary<string, double[]>();
            foreach (var tensor in parameters.Names)
            {
                double[] values = [.. Enumerable.Range(0, (int)parameters.ShapeOf(tensor).Count).Select(_ => next++)];
                parameters.Write(part, tensor, written[tensor] = values);
            }
            foreach (var (tensor, values) in written)
                Assert.That(parameters.Read(part, tensor), Is.EqualTo(values), $"{name} {tensor}");
            // Nothing of the store is left over: every element has one of the numbers.
            var all = Enumerable.Range(0, store.Parameters.Count).SelectMany(i => store.Read(part, i)).Order();
            Assert.That(all, Is.EqualTo(Enumerable.Range(1, (int)store.Count).Select(i => (double)i)), name);
        }
    }

    [Test]
    public void Channels_come_last_here_and_first_there()
    {
        using var device = Device.Parse("reference");
        using var store = new ParameterStore(device);
        const string name = "Data2VecVisionModel";
        var parameters = PublishedClasses.Declare(name, TinyModels.Config(name), store).Parameters;
        store.Build(1);
        const string weight = "embeddings.patch_embeddings.projection.weight";
        Assert.That(parameters.ShapeOf(weight), Is.EqualTo(new Shape(8, 3, 8, 8)));
        Assert.That(parameters.ShapeOf("embeddings.cls_token"), Is.EqualTo(new Shape(1, 1, 8)));
        var ours = store.Read(ParameterPart.Student, store.NumberOf("embeddings.patch.weight"));
        var theirs = parameters.Read(ParameterPart.Student, weight);
        for (var p = 0; p < theirs.Length; p++)
        {
            var (d, c, y, x) = (p / 192, p / 64 % 3, p / 8 % 8, p % 8);
            Assert.That(theirs[p], Is.EqualTo(ours[((d * 8 + y) * 8 + x) * 3 + c]), $"{d} {c} {y} {x}");
        }
    }

    [Test]
    public void A_wrong_number_of_values_and_an_unknown_name_are_refused()
    {
        using var tiny = new TinyText();
        Assert.That(() => tiny.Parameters.Write(ParameterPart.Student, "embeddings.LayerNorm.bias", new double[7]),
            Throws.InstanceOf<InvalidDataException>().With.Message.Contains("has 8 numbers; got 7"));
        Assert.That(() => tiny.Parameters.Read(ParameterPart.Student, "embeddings.absent"),
            Throws.InstanceOf<KeyNotFoundException>().With.Message.Contains("embeddings.absent"));
    }
}
