using System.Text.Json.Nodes;
using Data2Vec.Engine;
using Data2Vec.Kernels;
using Data2Vec.Models;
using Data2Vec.Models.Weights;
using NUnit.Framework;

namespace Data2Vec.Tests.Weights;

/// <summary>
/// Configurations of our models come back as they were written, and absurd ones are refused before memory is taken.
/// </summary>
public sealed class PublishedConfigTests
{
    [Test]
    public void A_vision_configuration_comes_back_also_when_images_are_not_square()
    {
        var transformer = new TransformerConfig(3, 8, 2, 12, 1e-6, 0.1, 0.05) { PreNorm = true, KeyBias = false };
        foreach (var config in new[]
        {
            new VisionEncoderConfig(transformer with { LayerScale = 1e-4, DropPath = 0.25 }, 32, 32, 8),
            new VisionEncoderConfig(transformer, 32, 48, 8, 1) { Relative = RelativePositions.None, MaskToken = false },
            new VisionEncoderConfig(transformer, 32, 48, 8) { Relative = RelativePositions.Both, TableByWidth = true },
            new VisionEncoderConfig(transformer, 48, 32, 16)
            {
                Relative = RelativePositions.PerLayer, AbsolutePositions = true, FinalNorm = false,
            },
        })
            Assert.That(PublishedVision.ReadConfig(Parse(PublishedVision.WriteConfig(config))), Is.EqualTo(config));
    }

    [Test]
    public void An_audio_configuration_comes_back()
    {
        var config = new AudioEncoderConfig(
            new TransformerConfig(3, 8, 2, 12, 1e-6, 0.1, 0.05, 0.2) { LayerDrop = 0.15 },
            [new(4, 10, 5), new(6, 3, 2)])
        {
            FeatureBias = true, PositionLayers = 3, PositionKernel = 4, PositionGroups = 2, FeatureDropout = 0.3,
            MaskVector = false,
        };
        var read = PublishedAudio.ReadConfig(Parse(PublishedAudio.WriteConfig(config)));
        Assert.That(read.Features, Is.EqualTo(config.Features));
        Assert.That(read, Is.EqualTo(config with { Features = read.Features }));
    }

    [Test]
    public void Fields_that_nobody_asks_for_are_kept()
    {
        var config = Parse("""{"zebra": [1, {"a": 1.50}], "hidden_size": 8}"""u8.ToArray()).With("hidden_size", 9);
        var text = System.Text.Encoding.UTF8.GetString(config.ToBytes());
        Assert.That(text, Does.Contain("1.50").And.Contain("\"hidden_size\": 9"));
        Assert.That(text.IndexOf("hidden_size", StringComparison.Ordinal),
            Is.LessThan(text.IndexOf("zebra", StringComparison.Ordinal)));
    }

    [TestCase("Data2VecTextModel", "num_hidden_layers", "16000000", "num_hidden_layers")]
    [TestCase("Data2VecTextModel", "num_hidden_layers", "0", "num_hidden_layers")]
    [TestCase("Data2VecTextModel", "num_attention_heads", "3", "multiple of the number of heads")]
    [TestCase("Data2VecTextModel", "pad_token_id", "23", "pad_token_id")]
    [TestCase("Data2VecTextModel", "max_position_embeddings", "2", "max_position_embeddings")]
    [TestCase("Data2VecTextModel", "hidden_size", "16000000", "must have shape")]
    [TestCase("Data2VecTextForSequenceClassification", "problem_type", "\"translation\"", "problem_type")]
    [TestCase("Data2VecAudioForCTC", "ctc_loss_reduction", "\"none\"", "ctc_loss_reduction")]
    [TestCase("Data2VecAudioForCTC", "conv_kernel", "[10, 3, 3]", "one entry a layer")]
    [TestCase("Data2VecAudioForCTC", "conv_kernel", "[10, \"3\"]", "conv_kernel")]
    [TestCase("Data2VecAudioForCTC", "conv_stride", "[5, 0]", "stride")]
    [TestCase("Data2VecAudioForCTC", "num_conv_pos_embedding_groups", "3", "groups")]
    [TestCase("Data2VecAudioForCTC", "add_adapter", "true", "add_adapter")]
    [TestCase("Data2VecAudioForXVector", "tdnn_kernel", "[3]", "x-vector")]
    [TestCase("Data2VecVisionModel", "patch_size", "[8, 4]", "patch_size")]
    [TestCase("Data2VecVisionModel", "patch_size", "17", "patch")]
    [TestCase("Data2VecVisionModel", "image_size", "[16, 16, 16]", "image_size")]
    [TestCase("Data2VecVisionModel", "image_size", "16000000", "must have shape")]
    public void A_folder_whose_configuration_is_absurd_is_refused_by_name(
        string name, string field, string value, string named)
    {
        using var folder = new TemporaryFolder();
        var path = Path.Combine(folder.Path, "model");
        TinyModels.Save(path, name);
        var config = Path.Combine(path, "config.json");
        File.WriteAllBytes(config, PublishedConfig.Read(config).With(field, JsonNode.Parse(value)).ToBytes());
        using var device = new Device("reference", new ReferenceBackend());
        using var store = new ParameterStore(device);
        Assert.That(() => PublishedFolder.Load(path, store),
            Throws.InstanceOf<InvalidDataException>().With.Message.Contains(named).And.Message.Contains(folder.Path));
        Assert.That(device.OutstandingBuffers, Is.Zero);
    }

    private static PublishedConfig Parse(byte[] json) => PublishedConfig.Parse(json, "config.json");
}
