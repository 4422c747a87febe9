using Data2Vec.Engine;
using Data2Vec.Engine.Serialization;
using Data2Vec.Kernels;
using Data2Vec.Models.Weights;
using NUnit.Framework;
using IOPath = System.IO.Path;

namespace Data2Vec.Tests.Weights;

/// <summary>Loading is whole or nothing, and says what is wrong by name.</summary>
public sealed class PublishedReaderTests
{
    private const string Key = "encoder.layer.1.attention.self.key.bias";

    private TemporaryFolder folder = null!;

    [SetUp]
    public void MakeFolder() => folder = new TemporaryFolder();

    [TearDown]
    public void RemoveFolder() => folder.Dispose();

    [TestCase(50_000_000_000)]
    [TestCase(600)]
    [TestCase(1)]
    public void What_was_written_is_read_back_bit_by_bit_whole_or_in_shards(long shard)
    {
        using var source = TinyText.Classifier(seed: 1);
        source.Save(folder.Path, new WeightLayout(MaximumShardBytes: shard));
        Assert.That(File.Exists(IOPath.Combine(folder.Path, PublishedFiles.IndexName)), Is.EqualTo(shard < 1000));
        using var target = TinyText.Classifier(seed: 2);
        Assert.That(target.Values, Is.Not.EqualTo(source.Values));
        Assert.That(target.Load(folder.Path).Ignored, Is.Empty);
        Assert.That(target.Values, Is.EqualTo(source.Values));
    }

    [TestCase(SafetensorsType.F16)]
    [TestCase(SafetensorsType.BF16)]
    public void Half_precision_is_widened_to_what_was_rounded(SafetensorsType type)
    {
        using var source = new TinyText(seed: 1);
        source.Save(folder.Path, new WeightLayout(type));
        using var target = new TinyText(seed: 2);
        target.Load(folder.Path);
        var rounded = source.Values.Select(x => type == SafetensorsType.F16
            ? (float)(Half)(float)x : BFloat16.FromSingle((float)x).ToSingle());
        Assert.That(target.Values, Is.EqualTo(rounded.Select(x => (double)x)));
    }

    [Test]
    public void The_teacher_starts_as_a_copy()
    {
        using var source = new TinyText(seed: 1);
        source.Save(folder.Path);
        using var target = new TinyText(store =>
        {
            _ = new Data2Vec.Models.TextEncoder(store, TinyText.Config);
            return null!;
        });
        using var files = PublishedFiles.Open(folder.Path);
        PublishedReader.Read(files, new PublishedParameters(target.Store, source.Model.Names));
        var number = target.Store.NumberOf("encoder.layer.0.attention.qkv.weight");
        Assert.That(target.Store.HasTeacherValue(number));
        Assert.That(target.Store.Read(ParameterPart.Teacher, number),
            Is.EqualTo(source.Store.Read(ParameterPart.Student, number)));
    }

    [Test]
    public void A_missing_tensor_is_named_and_nothing_is_loaded()
    {
        using var source = new TinyText(seed: 1);
        source.Save(folder.Path, keep: n => n != Key);
        Refused(new TinyText(seed: 2), Key);
    }

    [Test]
    public void An_unexpected_tensor_is_named_and_nothing_is_loaded()
    {
        using var source = new TinyText(seed: 1);
        source.Save(folder.Path);
        AddTensor("encoder.layer.7.attention.self.key.bias");
        Refused(new TinyText(seed: 2), "encoder.layer.7.attention.self.key.bias");
    }

    [Test]
    public void A_tensor_of_another_shape_is_named_with_both_shapes_and_nothing_is_loaded()
    {
        using var source = TinyText.Classifier(labels: 4);
        source.Save(folder.Path);
        Refused(TinyText.Classifier(labels: 3), "classifier.out_proj.bias must have shape (3); got (4)");
    }

    [Test]
    public void A_name_with_and_without_prefix_is_refused()
    {
        using var source = new TinyText(seed: 1);
        source.Save(folder.Path);
        AddTensor("data2vec_text." + Key);
        Refused(new TinyText(seed: 2), "data2vec_text." + Key);
    }

    [Test]
    public void A_head_file_fills_a_bare_model()
    {
        using var source = TinyText.Classifier(seed: 1);
        source.Save(folder.Path);
        using var bare = new TinyText(seed: 2);
        var report = bare.Load(folder.Path);
        Assert.That(report.Ignored, Has.Count.EqualTo(4).And.All.StartsWith("classifier."));
        Assert.That(bare.Values, Is.EqualTo(source.Values.Take(bare.Values.Length)));
    }

    [Test]
    public void A_bare_file_fills_a_model_with_a_new_head_only_when_that_is_asked_for()
    {
        using var source = new TinyText(seed: 1);
        source.Save(folder.Path);
        Refused(TinyText.Classifier(seed: 2), "classifier.dense.weight");
        using var target = TinyText.Classifier(seed: 2);
        using var untouched = TinyText.Classifier(seed: 2);
        var report = target.Load(folder.Path, StoredHead.IfPresent);
        Assert.That(report.NewParts, Is.EqualTo([PublishedPart.Head]));
        var length = source.Values.Length;
        Assert.That(target.Values.Take(length), Is.EqualTo(source.Values));
        Assert.That(target.Values.Skip(length), Is.EqualTo(untouched.Values.Skip(length)));
    }

    [Test]
    public void Half_a_head_is_no_head()
    {
        using var source = TinyText.Classifier(seed: 1);
        source.Save(folder.Path, keep: n => n != "classifier.out_proj.bias");
        Refused(TinyText.Classifier(seed: 2), "classifier.out_proj.bias", StoredHead.IfPresent);
    }

    [Test]
    public void A_stored_head_of_another_size_can_be_left_where_it_is()
    {
        using var source = TinyText.Classifier(labels: 4, seed: 1);
        source.Save(folder.Path);
        using var target = TinyText.Classifier(labels: 3, seed: 2);
        var report = target.Load(folder.Path, StoredHead.Ignored);
        Assert.That(report.Ignored, Has.Count.EqualTo(4));
        Assert.That(report.NewParts, Is.EqualTo([PublishedPart.Head]));
    }

    [Test]
    public void A_tied_copy_is_ignored_and_another_decoder_is_refused_by_a_tied_model()
    {
        using var source = TinyText.MaskedLanguage(seed: 1);
        source.Save(folder.Path);
        var words = "data2vec_text.embeddings.word_embeddings.weight";
        var values = source.Parameters.Read(ParameterPart.Student, words);
        AddTensor("lm_head.decoder.weight", values, source.Parameters.ShapeOf(words));
        using var target = TinyText.MaskedLanguage(seed: 2);
        Assert.That(target.Load(folder.Path).Ignored, Is.EqualTo(["lm_head.decoder.weight"]));
        values[3] += 1;
        AddTensor("lm_head.decoder.weight", values, source.Parameters.ShapeOf(words));
        Refused(TinyText.MaskedLanguage(seed: 2), "lm_head.decoder.weight");
    }

    private void Refused(TinyText target, string named, StoredHead head = StoredHead.Required)
    {
        using (target)
        {
            var before = target.Values;
            Assert.That(() => target.Load(folder.Path, head),
                Throws.InstanceOf<InvalidDataException>().With.Message.Contains(named));
            Assert.That(target.Values, Is.EqualTo(before));
        }
    }

    /// <summary>Writes the folder's file again with one tensor more.</summary>
    private void AddTensor(string name, double[]? values = null, Shape? shape = null)
    {
        var path = IOPath.Combine(folder.Path, PublishedFiles.SingleName);
        var tensors = new List<TensorToWrite>();
        using (var file = SafetensorsFile.FromBytes(File.ReadAllBytes(path)))
        {
            foreach (var entry in file.Entries.Where(e => e.Name != name))
            {
                var own = file.ReadSingles(entry.Name);
                tensors.Add(new(entry.Name, entry.ToShape(), () => own));
            }
        }
        var more = Array.ConvertAll(values ?? new double[8], x => (float)x);
        tensors.Add(new(name, shape ?? new Shape(8), () => more));
        using var stream = File.Create(path);
        PublishedWriter.WriteFile(stream, tensors, SafetensorsType.F32);
    }
}
