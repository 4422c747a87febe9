using Data2Vec.Engine.Serialization;
using Data2Vec.Kernels;
using Data2Vec.Models.Weights;
using NUnit.Framework;
using IOPath = System.IO.Path;

namespace Data2Vec.Tests.Weights;

/// <summary>Folders of every class in every layout, whole or not at all.</summary>
public sealed class FolderConversionTests
{
    private TemporaryFolder temporary = null!;

    [SetUp]
    public void MakeFolder() => temporary = new TemporaryFolder();

    [TearDown]
    public void RemoveFolder() => temporary.Dispose();

    private static IEnumerable<string> Classes => PublishedClasses.Names;

    [TestCaseSource(nameof(Classes))]
    public void Any_class_goes_into_shards_of_half_precision_and_back(string name)
    {
        TinyModels.Save(At("source"), name);
        FolderConversion.Run(At("source"), At("same"));
        Assert.That(File.ReadAllBytes(IOPath.Combine(At("same"), PublishedFiles.SingleName)),
            Is.EqualTo(File.ReadAllBytes(IOPath.Combine(At("source"), PublishedFiles.SingleName))));

        FolderConversion.Run(At("source"), At("half"), new(SafetensorsType.BF16, MaximumShardBytes: 1000));
        Assert.That(Directory.GetFiles(At("half"), "model-*-of-*.safetensors"), Has.Length.GreaterThan(1));
        var config = PublishedConfig.Read(IOPath.Combine(At("half"), "config.json"));
        Assert.That(config.Text("dtype"), Is.EqualTo("bfloat16"));
        FolderConversion.Run(At("half"), At("back"), new(SafetensorsType.F32));
        var (source, back) = (TinyModels.Read(At("source")), TinyModels.Read(At("back")));
        Assert.That(back.Keys, Is.EquivalentTo(source.Keys));
        foreach (var (tensor, values) in source)
        {
            Assert.That(back[tensor], Is.EqualTo(values.Select(x => BFloat16.FromSingle(x).ToSingle())), tensor);
        }
        Assert.That(PublishedConfig.Read(IOPath.Combine(At("back"), "config.json")).Class, Is.EqualTo(name));
    }

    [TestCase("Data2VecAudioForXVector", "Data2VecAudioModel")]
    [TestCase("Data2VecVisionForImageClassification", "Data2VecVisionModel")]
    [TestCase("Data2VecTextForMultipleChoice", "Data2VecTextModel")]
    [TestCase("Data2VecTextModel", "Data2VecTextModel")]
    public void A_bare_model_keeps_all_but_the_head(string name, string bare)
    {
        TinyModels.Save(At("source"), name);
        File.WriteAllText(IOPath.Combine(At("source"), "preprocessor_config.json"), "{}");
        File.WriteAllText(IOPath.Combine(At("source"), "notes.txt"), "not part of a model");
        FolderConversion.Run(At("source"), At("bare"), new(Bare: true));
        var prefix = PublishedFamily.OfClass(name).Prefix;
        var expected = TinyModels.Read(At("source"))
            .Where(t => name == bare || t.Key.StartsWith(prefix, StringComparison.Ordinal))
            .ToDictionary(t => t.Key.Replace(prefix, ""), t => t.Value);
        Assert.That(TinyModels.Read(At("bare")), Is.EquivalentTo(expected));
        Assert.That(PublishedConfig.Read(IOPath.Combine(At("bare"), "config.json")).Class, Is.EqualTo(bare));
        Assert.That(Directory.GetFiles(At("bare")).Select(IOPath.GetFileName),
            Is.EquivalentTo(["config.json", PublishedFiles.SingleName, "preprocessor_config.json"]));
    }

    [Test]
    public void Half_precision_is_kept_when_no_type_is_asked_for()
    {
        TinyModels.Save(At("source"), "Data2VecTextModel");
        FolderConversion.Run(At("source"), At("half"), new(SafetensorsType.F16));
        FolderConversion.Run(At("half"), At("again"), new(MaximumShardBytes: 500));
        using var files = PublishedFiles.Open(At("again"));
        Assert.That(files.Names.Select(n => files[n].Type), Is.All.EqualTo(SafetensorsType.F16));
    }

    [Test]
    public void A_folder_that_is_not_empty_is_left_alone()
    {
        TinyModels.Save(At("source"), "Data2VecTextModel");
        Directory.CreateDirectory(At("output"));
        File.WriteAllText(IOPath.Combine(At("output"), "mine.txt"), "mine");
        Assert.That(() => FolderConversion.Run(At("source"), At("output")),
            Throws.InstanceOf<IOException>().With.Message.Contains("not empty"));
        Assert.That(Directory.GetFiles(At("output")), Has.Length.EqualTo(1));
    }

    [Test]
    public void A_folder_that_lacks_a_tensor_leaves_nothing_behind()
    {
        const string lacking = "encoder.layer.1.output.dense.weight";
        TinyModels.Save(At("source"), "Data2VecTextModel", keep: n => n != lacking);
        Assert.That(() => FolderConversion.Run(At("source"), At("output")),
            Throws.InstanceOf<InvalidDataException>().With.Message.Contains(lacking));
        Assert.That(Directory.GetFileSystemEntries(temporary.Path), Is.EqualTo([At("source")]));
    }

    [Test]
    public void A_value_that_does_not_fit_leaves_nothing_behind()
    {
        TinyModels.Save(At("source"), "Data2VecTextModel");
        var path = IOPath.Combine(At("source"), PublishedFiles.SingleName);
        using (var stream = new FileStream(path, FileMode.Open))
        {
            stream.Seek(-4, SeekOrigin.End);
            stream.Write(BitConverter.GetBytes(1e6f));
        }
        Assert.That(() => FolderConversion.Run(At("source"), At("output"), new(SafetensorsType.F16)),
            Throws.InstanceOf<InvalidDataException>().With.Message.Contains("too large for F16"));
        Assert.That(Directory.GetFileSystemEntries(temporary.Path), Is.EqualTo([At("source")]));
    }

    private string At(string name) => IOPath.Combine(temporary.Path, name);
}
