using Data2Vec.Engine;
using Data2Vec.Engine.Serialization;
using Data2Vec.Models.Configuration;
using Data2Vec.Models.Data;
using Data2Vec.Models.Evaluation;

namespace Data2Vec.Models;

/// <summary>Vision: pictures, encoder and probes of a run.</summary>
internal sealed class VisionPretrainTask(VisionPretrainConfig config) : PretrainTask
{
    /// <summary>Generated pictures to train on; their seed, and how many of them give mean and deviation.</summary>
    private const int Generated = 24_576;
    private const ulong GeneratedSeed = 1000;
    private const int Sampled = 2000;

    private VisionPictures? pictures;
    private ImageCorpus? corpus;
    private BadSamples? bad;
    private VisionPretrainModel? model;
    private IProbes<IVisionFeatures>? probes;

    /// <inheritdoc/>
    public override string Unit => "patches";

    /// <inheritdoc/>
    public override string Data => pictures!.Name;

    /// <inheritdoc/>
    public override string Digest => pictures!.Digest;

    /// <inheritdoc/>
    public override void Load(PretrainOptions options, RunFolder folder, IPretrainObserver observer)
    {
        observer.Phase(options.Data.Count > 0 ? "finding the pictures" : $"drawing {Generated} pictures");
        pictures = options.Data.Count > 0 ? Files(options, folder, observer) : Drawn();
        folder.WriteData(pictures.Digest, new
        {
            pictures.Name, pictures.Digest, Training = pictures.Count, pictures.Processor.Mean, pictures.Processor.Deviation,
        });
    }

    /// <inheritdoc/>
    public override ITrainingSession Start(Device device)
    {
        model = config.CreateModel(new ParameterStore(device));
        var source = pictures!;
        return new TrainingSession<VisionPretrainBatch>(config, model, new PrefetchedBatches<VisionPretrainBatch>(
            () => new VisionBatches(
                source.Count, source.Read, config.BatchSize, config.ImageSize, config.Mask(), config.Seed),
            config.Workers));
    }

    /// <inheritdoc/>
    public override IReadOnlyList<string> DrawProbes()
    {
        probes = corpus is not null ? FileProbes(corpus) : new VisionProbes(new VisionProbeOptions
        {
            Kind = config.Pictures, Side = config.ImageSize, Patch = config.PatchSize, Mask = config.Mask(),
        });
        return probes.LeftOut;
    }

    /// <inheritdoc/>
    public override IReadOnlyList<double> ProbeAccuracies()
    {
        using var parameters = model!.Store.Student();
        return probes!.Accuracies(new VisionFeatures(model.Encoder, parameters, pictures!.Processor));
    }

    /// <inheritdoc/>
    public override IReadOnlyList<ProbeResult> ProbeResults(
        IReadOnlyList<double> random, IReadOnlyList<double> pretrained) => probes!.Results(random, pretrained);

    /// <inheritdoc/>
    public override void WritePublished(CheckpointWriter checkpoint)
    {
        var encoder = model!.Encoder.Config;
        checkpoint.Write("config.json", s => s.Write(PublishedVision.WriteConfig(encoder)));
        checkpoint.Write("model.safetensors", s => PublishedVision.WriteWeights(model.Store, encoder, s));
        checkpoint.Write(ImageProcessorFile.Name, s => s.Write(ImageProcessorFile.Write(pictures!.Processor)));
    }

    private VisionPictures Drawn()
    {
        var drawn = ShapePictures.Generate(config.Pictures, GeneratedSeed, Generated, config.ImageSize);
        var processor = VisionPictures.Measure([.. drawn.Take(Sampled).Select(d => d.Image)], config.ImageSize);
        return new VisionPictures($"{Generated} drawn pictures, {config.Pictures.ToString().ToLowerInvariant()}",
            ShapePictures.Digest(drawn), Generated, processor,
            (index, _, pixels) => processor.Write(drawn[index].Image, pixels.Span));
    }

    private VisionPictures Files(PretrainOptions options, RunFolder folder, IPretrainObserver observer)
    {
        bad = new BadSamples(config.OnBadSample, folder.File("quarantine.jsonl"))
        {
            Reported = b => observer.Warned($"left out: {b.Reason}"),
        };
        corpus = ImageFiles.Load(options.Data, bad);
        var reader = ImageCorpus.Reader(corpus.Training, bad, config.Reading());
        var processor = VisionPictures.ImageNet(config.ImageSize);
        var augmentation = config.Augment
            ? new ImageAugmentation { Width = config.ImageSize, Height = config.ImageSize } : null;
        return new VisionPictures($"{corpus.Name}, {corpus.Training.Count} pictures", corpus.Digest,
            corpus.Training.Count, processor, (index, random, pixels) =>
            {
                var picture = reader.Read(index);
                picture = augmentation?.Apply(picture, random) ?? processor.Prepare(picture);
                processor.Write(picture, pixels.Span);
            });
    }

    private PictureFileProbes FileProbes(ImageCorpus files)
    {
        var options = new PictureFileProbeOptions
        {
            Patch = config.PatchSize, Mask = config.Mask(), Classes = files.Classes,
        };
        return new PictureFileProbes(
            Some(files.Training, options.TrainingPatches, options.Seed),
            Some(files.HeldOut, options.TestPatches, options.Seed + 1), options);
    }

    /// <summary>Some pictures as the encoder reads them.</summary>
    private ProbePictures Some(IReadOnlyList<ImageSample> samples, int most, ulong seed)
    {
        var some = ProbeSamples.Read(samples, most, seed, s => s.Name,
            s => (Image: pictures!.Processor.Prepare(ImageCorpus.Read(s, config.Reading())), s.Label), bad!);
        return new ProbePictures([.. some.Select(s => s.Image)], [.. some.Select(s => s.Label)]);
    }
}
