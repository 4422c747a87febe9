using System.Text.Json.Nodes;
using Data2Vec.Engine;
using Data2Vec.Kernels;
using Data2Vec.Models.Weights;
using NUnit.Framework;

namespace Data2Vec.Tests.Weights;

/// <summary>
/// Models of published size are declared with as many scalars as the published classes have (transformers 5.23);
/// nothing is allocated.
/// </summary>
public sealed class PublishedSizeTests
{
    private const string Audio = """
        {"model_type": "data2vec-audio", "conv_dim": [512, 512, 512, 512, 512, 512, 512],
         "conv_kernel": [10, 3, 3, 3, 3, 2, 2], "conv_stride": [5, 2, 2, 2, 2, 2, 2], "num_conv_pos_embeddings": 5,
         "conv_pos_kernel_size": 19, "num_conv_pos_embedding_groups": 16, "vocab_size": 32}
        """;

    private const string Vision = """
        {"model_type": "data2vec-vision", "image_size": 224, "patch_size": 16, "layer_norm_eps": 1e-12,
         "layer_scale_init_value": 0.1, "use_mean_pooling": false, "use_shared_relative_position_bias": true,
         "num_labels": 1000}
        """;

    private const string Text = """
        {"model_type": "data2vec-text", "vocab_size": 50265, "max_position_embeddings": 514, "type_vocab_size": 1,
         "layer_norm_eps": 1e-5, "pad_token_id": 1}
        """;

    [TestCase("Data2VecAudioModel", Audio, false, 93_164_288)]
    [TestCase("Data2VecAudioModel", Audio, true, 313_276_416)]
    [TestCase("Data2VecAudioForCTC", Audio, false, 93_188_896)]
    [TestCase("Data2VecAudioForXVector", Audio, false, 99_275_484)]
    [TestCase("Data2VecAudioForSequenceClassification", Audio, true, 313_539_330)]
    [TestCase("Data2VecVisionModel", Vision, false, 85_665_360)]
    [TestCase("Data2VecVisionForImageClassification", Vision, false, 86_434_360)]
    [TestCase("Data2VecTextModel", Text, false, 124_645_632)]
    [TestCase("Data2VecTextForMaskedLM", Text, false, 124_697_433)]
    public void A_declared_model_has_the_published_number_of_scalars(string name, string json, bool large, long scalars)
    {
        var fields = JsonNode.Parse(json)!.AsObject();
        fields["hidden_size"] = large ? 1024 : 768;
        fields["num_hidden_layers"] = large ? 24 : 12;
        fields["num_attention_heads"] = large ? 16 : 12;
        fields["intermediate_size"] = large ? 4096 : 3072;
        using var device = new Device("reference", new ReferenceBackend());
        using var store = new ParameterStore(device);
        var parameters = PublishedClasses.Declare(name, PublishedConfig.Of(fields), store).Parameters;
        Assert.That(store.Count, Is.EqualTo(scalars));
        Assert.That(parameters.Names.Sum(n => parameters.ShapeOf(n).Count), Is.EqualTo(scalars));
        Assert.That(device.OutstandingBuffers, Is.Zero);
    }

    [Test]
    public void Every_class_that_is_listed_can_be_declared()
    {
        foreach (var name in PublishedClasses.Names)
        {
            var json = name.Contains("Audio") ? Audio : name.Contains("Vision") ? Vision : Text;
            var fields = JsonNode.Parse(json)!.AsObject();
            (fields["hidden_size"], fields["num_hidden_layers"]) = (32, 2);
            (fields["num_attention_heads"], fields["intermediate_size"]) = (4, 40);
            using var device = new Device("reference", new ReferenceBackend());
            using var store = new ParameterStore(device);
            var model = PublishedClasses.Declare(name, PublishedConfig.Of(fields), store);
            Assert.That(model.Names.Class, Is.EqualTo(name));
        }
    }
}
