using System.Text;
using Data2Vec.Engine;
using Data2Vec.Models;
using Data2Vec.Models.Weights;

namespace Data2Vec.Tests.Weights;

/// <summary>Small text models on the Reference device, and folders that hold them.</summary>
internal sealed class TinyText : IDisposable
{
    public static TextEncoderConfig Config { get; } =
        new(new TransformerConfig(2, 8, 2, 12), Vocabulary: 11, Positions: 9, TokenTypes: 1, ZeroPadding: false);

    private readonly Device device = Device.Parse("reference");

    public TinyText(Func<ParameterStore, PublishedModel>? declare = null, ulong seed = 7)
    {
        Store = new ParameterStore(device);
        Model = declare is null ? new TextModel(Store, Config) : declare(Store);
        Store.Build(seed);
    }

    public ParameterStore Store { get; }

    public PublishedModel Model { get; }

    public PublishedParameters Parameters => Model.Parameters;

    public static TinyText Classifier(int labels = 3, ulong seed = 7) =>
        new(store => new TextSequenceClassifier(store, Config, labels), seed);

    public static TinyText MaskedLanguage(bool tied = true, ulong seed = 7) =>
        new(store => new TextMaskedLanguageModel(store, Config, tied, tied), seed);

    /// <summary>Every value of the student, to see whether anything changed.</summary>
    public double[] Values => [.. Store.Parameters.SelectMany((_, i) => Store.Read(ParameterPart.Student, i))];

    public void Save(string folder, WeightLayout? layout = null, Func<string, bool>? keep = null)
    {
        Directory.CreateDirectory(folder);
        var tensors = PublishedWriter.TensorsOf(Parameters).Where(t => keep is null || keep(t.Name));
        PublishedWriter.WriteFolder(folder, tensors, layout ?? new WeightLayout());
        var config = Encoding.UTF8.GetString(PublishedText.WriteConfig(Config));
        File.WriteAllText(Path.Combine(folder, "config.json"),
            config.Replace("\"Data2VecTextModel\"", $"\"{Model.Names.Class}\""));
    }

    public LoadReport Load(string folder, StoredHead head = StoredHead.Required)
    {
        using var files = PublishedFiles.Open(folder);
        return PublishedReader.Read(files, Parameters, head);
    }

    public void Dispose()
    {
        Store.Dispose();
        device.Dispose();
    }
}
