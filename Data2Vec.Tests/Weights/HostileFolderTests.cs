using Data2Vec.Engine.Serialization;
using Data2Vec.Kernels;
using Data2Vec.Models;
using Data2Vec.Models.Weights;
using NUnit.Framework;
using IOPath = System.IO.Path;

namespace Data2Vec.Tests.Weights;

/// <summary>Index files and configurations that lie, and values that a type cannot hold.</summary>
public sealed class HostileFolderTests
{
    [TestCase("""{"weight_map": {"a": "../other.safetensors"}}""", "../other.safetensors")]
    [TestCase("""{"weight_map": {"a": "/etc/passwd"}}""", "/etc/passwd")]
    [TestCase("""{"weight_map": {"a": "absent.safetensors"}}""", "absent.safetensors")]
    [TestCase("""{"weight_map": {"a": "one.safetensors", "b": "one.safetensors"}}""", "lists b in one.safetensors")]
    [TestCase("""{"weight_map": {"b": "one.safetensors"}}""", "the tensor a")]
    [TestCase("""{"weight_map": {}}""", "lists no tensor")]
    [TestCase("""{"weight_map": {"a": 3}}""", "weight_map")]
    [TestCase("""{"weight_map": {"a": null}}""", "a is null")]
    [TestCase("""{"weight_map": {"a": "one.safetensors", "a": "two.safetensors"}}""", "weight_map")]
    [TestCase("""{"weight_map": 1}""", "weight_map")]
    [TestCase("""{}""", "weight_map")]
    [TestCase("""[]""", "weight_map")]
    [TestCase("""{"weight_map": """, "weight_map")]
    [TestCase("", "weight_map")]
    public void An_index_that_lies_is_refused(string json, string named)
    {
        using var folder = new TemporaryFolder();
        using (var stream = File.Create(IOPath.Combine(folder.Path, "one.safetensors")))
            PublishedWriter.WriteFile(stream, [new("a", new Shape(2), () => [1, 2])], SafetensorsType.F32);
        File.WriteAllText(IOPath.Combine(folder.Path, PublishedFiles.IndexName), json);
        Assert.That(() => PublishedFiles.Open(folder.Path),
            Throws.InstanceOf<InvalidDataException>().With.Message.Contains(named));
        // No file stays open: the folder can be removed.
    }

    [Test]
    public void A_folder_without_weights_says_what_was_expected()
    {
        using var folder = new TemporaryFolder();
        Assert.That(() => PublishedFiles.Open(folder.Path), Throws.InstanceOf<InvalidDataException>()
            .With.Message.Contains(PublishedFiles.SingleName).And.Message.Contains(PublishedFiles.IndexName));
    }

    [TestCase("")]
    [TestCase("[]")]
    [TestCase("null")]
    [TestCase("""{"hidden_size": 1, "hidden_size": 2}""")]
    [TestCase("{\"hidden_size\": 1")]
    public void A_configuration_that_is_no_object_is_refused(string json) => Assert.That(
        () => PublishedConfig.Parse(System.Text.Encoding.UTF8.GetBytes(json), "config.json"),
        Throws.InstanceOf<InvalidDataException>().With.Message.Contains("config.json"));

    // Found by fuzzing: such texts broke only when somebody asked for them.
    [TestCase("model_type", (byte)0xA8)]
    [TestCase("x", (byte)0xFF)]
    public void Broken_UTF8_in_a_configuration_is_refused(string field, byte broken)
    {
        byte[] json = [.. "{\""u8, .. System.Text.Encoding.UTF8.GetBytes(field), .. "\":[\""u8, broken, .. "\"]}"u8];
        Assert.That(() => PublishedConfig.Parse(json, "config.json"),
            Throws.InstanceOf<InvalidDataException>().With.Message.StartsWith("config.json is not valid JSON: "));
    }

    [TestCase("""{"model_type":"\uD800"}""")]
    [TestCase("""{"a":{"\uDC00":1}}""")]
    public void Half_a_surrogate_pair_in_a_configuration_is_refused(string json) => Assert.That(
        () => PublishedConfig.Parse(System.Text.Encoding.UTF8.GetBytes(json), "config.json"),
        Throws.InstanceOf<InvalidDataException>().With.Message.StartsWith("config.json is not valid JSON: "));

    [TestCase("hidden_size", "-1")]
    [TestCase("hidden_size", "1.5")]
    [TestCase("hidden_size", "\"8\"")]
    [TestCase("hidden_size", "2000000000")]
    [TestCase("hidden_size", "null")]
    [TestCase("layer_norm_eps", "\"small\"")]
    [TestCase("layer_norm_eps", "[1]")]
    [TestCase("hidden_act", "\"relu\"")]
    [TestCase("is_decoder", "true")]
    [TestCase("is_decoder", "1")]
    [TestCase("position_embedding_type", "\"relative_key\"")]
    [TestCase("model_type", "\"data2vec-vision\"")]
    public void A_field_that_does_not_fit_is_named(string field, string value)
    {
        var good = PublishedConfig.Parse(PublishedText.WriteConfig(TinyText.Config), "config.json");
        Assert.That(() => PublishedText.ReadConfig(good), Throws.Nothing);
        var bad = good.With(field, System.Text.Json.Nodes.JsonNode.Parse(value));
        Assert.That(() => PublishedText.ReadConfig(bad),
            Throws.InstanceOf<InvalidDataException>().With.Message.Contains(field));
    }

    [TestCase("Data2VecTextForTranslation")]
    [TestCase("BertModel")]
    [TestCase("Data2VecVisionModel")]
    public void A_class_that_does_not_fit_is_named(string name)
    {
        using var tiny = new TinyText();
        var config = PublishedConfig.Parse(PublishedText.WriteConfig(TinyText.Config), "config.json");
        Assert.That(() => PublishedClasses.Declare(name, config, tiny.Store),
            Throws.InstanceOf<InvalidDataException>().With.Message.Contains(name));
    }

    [TestCase(SafetensorsType.F16, 65520f)]
    [TestCase(SafetensorsType.BF16, 3.4e38f)]
    public void A_value_that_a_type_cannot_hold_is_refused_and_an_infinity_is_not(SafetensorsType type, float large)
    {
        static void Write(float value, SafetensorsType type) =>
            PublishedWriter.WriteFile(new MemoryStream(), [new("w", new Shape(2), () => [0, value])], type);
        Assert.That(() => Write(large, type),
            Throws.InstanceOf<InvalidDataException>().With.Message.Contains("w holds"));
        Assert.That(() => Write(float.NegativeInfinity, type), Throws.Nothing);
        Assert.That(() => Write(large / 2, type), Throws.Nothing);
    }
}
