using Data2Vec.Engine;
using Data2Vec.Engine.Serialization;
using Data2Vec.Models.Configuration;
using Data2Vec.Models.Data;
using Data2Vec.Models.Evaluation;
using Data2Vec.Models.Text;

namespace Data2Vec.Models;

/// <summary>Text: documents, tokenizer, encoder and probes of a run.</summary>
internal sealed class TextPretrainTask(TextPretrainConfig config) : PretrainTask
{
    private string tokenizerFolder = "";
    private TextCorpus? corpus;
    private ByteLevelBpe? tokenizer;
    private TokenizedCorpus? documents;
    private TextPretrainModel? model;
    private TextProbes? probes;

    /// <inheritdoc/>
    public override string Unit => "tokens";

    /// <inheritdoc/>
    public override string Data =>
        $"{corpus!.Name}, {corpus.Training.Count} documents, {documents!.TrainingTokens} tokens";

    /// <inheritdoc/>
    public override string Digest => corpus!.Digest;

    /// <inheritdoc/>
    public override void Load(PretrainOptions options, RunFolder folder, IPretrainObserver observer)
    {
        observer.Phase(options.Data.Count > 0 ? "reading the texts" : "reading the documentation found on this machine");
        corpus = options.Data.Count > 0 ? TextFiles.Load(options.Data) : DocumentationCorpus.Load();
        folder.WriteData(corpus.Digest, new
        {
            corpus.Name, corpus.Digest, Training = corpus.Training.Count, HeldOut = corpus.HeldOut.Count, corpus.Sources,
            corpus.Skipped,
        });
        tokenizerFolder = folder.File("tokenizer");
        tokenizer = Tokenizer(goesOn: folder.Start is not null, observer);
        documents = TokenizedCorpus.Create(corpus, tokenizer, config.MaxTokens);
    }

    /// <inheritdoc/>
    public override ITrainingSession Start(Device device)
    {
        model = config.CreateModel(device, tokenizer!.Count, tokenizer.PadId);
        var batches = new TextBatches(documents!.Training, config.BatchSize, tokenizer.PadId, tokenizer.MaskId,
            tokenizer.Count, config.Mask(), config.Seed);
        return new TrainingSession<TextPretrainBatch>(config, model, batches);
    }

    /// <inheritdoc/>
    public override IReadOnlyList<string> DrawProbes()
    {
        probes = new TextProbes(documents!, tokenizer!);
        return probes.LeftOut;
    }

    /// <inheritdoc/>
    public override IReadOnlyList<double> ProbeAccuracies()
    {
        using var parameters = model!.Store.Student();
        return probes!.Accuracies(new TextFeatures(model.Encoder, parameters));
    }

    /// <inheritdoc/>
    public override IReadOnlyList<ProbeResult> ProbeResults(
        IReadOnlyList<double> random, IReadOnlyList<double> pretrained) => probes!.Results(random, pretrained);

    /// <inheritdoc/>
    public override void WritePublished(CheckpointWriter checkpoint)
    {
        var encoder = model!.Encoder.Config;
        checkpoint.Write("config.json", s => s.Write(PublishedText.WriteConfig(encoder)));
        checkpoint.Write("model.safetensors", s => PublishedText.WriteWeights(model.Store, encoder, s));
        foreach (var name in new[] { "vocab.json", "merges.txt" })
            checkpoint.Write(name, s => s.Write(File.ReadAllBytes(Path.Combine(tokenizerFolder, name))));
    }

    private ByteLevelBpe Tokenizer(bool goesOn, IPretrainObserver observer)
    {
        // Without a checkpoint it is what a run left that never came so far, perhaps of other data.
        if (goesOn && File.Exists(Path.Combine(tokenizerFolder, "vocab.json"))) return ByteLevelBpe.Load(tokenizerFolder);
        observer.Phase($"training a byte-level BPE of {config.VocabularySize} tokens");
        var trained = ByteLevelBpe.Train(corpus!.Training.Select(d => d.Text), config.VocabularySize);
        Directory.CreateDirectory(tokenizerFolder);
        trained.Vocabulary.Save(tokenizerFolder);
        return trained;
    }
}
