using Data2Vec.Engine;
using Data2Vec.Engine.Serialization;
using Data2Vec.Models.Configuration;
using Data2Vec.Models.Data;
using Data2Vec.Models.Evaluation;
using Data2Vec.Models.Weights;

namespace Data2Vec.Models;

/// <summary>Audio: clips, encoder and probes of a run.</summary>
internal sealed class AudioPretrainTask(AudioPretrainConfig config) : PretrainTask
{
    /// <summary>Seed of the generated speech; not that of training.</summary>
    private const ulong GeneratedSeed = 1;

    private AudioCorpus? corpus;
    private DigitSpeech? speech;
    private BadSamples? bad;
    private AudioSample[] clips = [];
    private AudioPretrainModel? model;
    private IProbes<IAudioFeatures>? probes;

    /// <inheritdoc/>
    public override string Unit => "frames";

    /// <inheritdoc/>
    public override string Data =>
        $"{corpus!.Name}, {clips.Length} clips, {clips.Sum(c => (double)c.Length) / AudioSample.SampleRate / 3600:F2} hours";

    /// <inheritdoc/>
    public override string Digest => corpus!.Digest;

    /// <inheritdoc/>
    public override void Load(PretrainOptions options, RunFolder folder, IPretrainObserver observer)
    {
        bad = new BadSamples(config.OnBadSample, folder.File("quarantine.jsonl"))
        {
            Reported = b => observer.Warned($"left out: {b.Reason}"),
        };
        observer.Phase(options.Data.Count > 0 ? "finding the clips" : "speaking digits");
        if (options.Data.Count > 0) corpus = AudioFolders.Load(options.Data, bad);
        else
        {
            speech = DigitSpeech.Generate(GeneratedSeed);
            corpus = new AudioCorpus(speech.Name, [.. Samples(speech.Training, false), .. Samples(speech.HeldOut, true)],
                speech.Digest, "samples and labels of every clip");
        }
        clips = [.. corpus.Training.Where(c => c.Length >= config.MinSamples)];
        if (clips.Length == 0)
        {
            throw new InvalidDataException($"{corpus.Name}: none of {corpus.Training.Count} clips is as long as min_samples, "
                + $"{config.MinSamples} samples.");
        }
        folder.WriteData(corpus.Digest, new
        {
            corpus.Name, corpus.Digest, corpus.DigestCovers, Training = clips.Length, HeldOut = corpus.HeldOut.Count,
            Hours = clips.Sum(c => (double)c.Length) / AudioSample.SampleRate / 3600, corpus.LeftOut,
        });
    }

    /// <inheritdoc/>
    public override ITrainingSession Start(Device device)
    {
        model = config.CreateModel(new ParameterStore(device));
        var encoder = model.Encoder.Config;
        int[] lengths = [.. clips.Select(c => c.Length)];
        var reader = AudioCorpus.Reader(clips, bad!, encoder.FewestSamples);
        return new TrainingSession<AudioPretrainBatch>(config, model, new PrefetchedBatches<AudioPretrainBatch>(
            () => new AudioBatches(lengths, reader.Read, config.BatchSize, config.MaxSamples, encoder, config.Mask(),
                config.Seed),
            config.Workers));
    }

    /// <inheritdoc/>
    public override IReadOnlyList<string> DrawProbes()
    {
        var options = new AudioProbeOptions { Mask = config.Mask() };
        if (speech is null)
        {
            probes = new SpeechFileProbes(
                Some(corpus!.Training, options.TrainingClips, options.Seed),
                Some(corpus.HeldOut, options.HeldOutClips, options.Seed + 1),
                () => Some(
                    [.. corpus.Samples.Where(s => s.Speaker is not null)], options.SpeakerClips, options.Seed + 2),
                options);
            return [.. probes.LeftOut, "phones and digits: only the generated speech has labels for them"];
        }
        probes = new AudioProbes(speech, options);
        return probes.LeftOut;
    }

    /// <inheritdoc/>
    public override IReadOnlyList<double> ProbeAccuracies()
    {
        if (probes is null) return [];
        using var parameters = model!.Store.Student();
        return probes.Accuracies(new AudioFeatures(model.Encoder, parameters));
    }

    /// <inheritdoc/>
    public override IReadOnlyList<ProbeResult> ProbeResults(
        IReadOnlyList<double> random, IReadOnlyList<double> pretrained) => probes?.Results(random, pretrained) ?? [];

    /// <inheritdoc/>
    public override void WritePublished(CheckpointWriter checkpoint)
    {
        var encoder = model!.Encoder.Config;
        checkpoint.Write("config.json", s => s.Write(PublishedAudio.WriteConfig(encoder)));
        checkpoint.Write("model.safetensors", s => PublishedAudio.WriteWeights(model.Store, encoder, s));
        checkpoint.Write("preprocessor_config.json", s => s.Write(AudioPreprocessor.Released.ToBytes()));
    }

    private static IEnumerable<AudioSample> Samples(IEnumerable<SpeechClip> clips, bool heldOut) =>
        clips.Select(clip => new AudioSample(clip.Name, clip.Samples.Length, heldOut, () => [.. clip.Samples])
        {
            Transcript = clip.Transcript,
        });

    /// <summary>Some clips that are long enough.</summary>
    private List<ProbeClip> Some(IReadOnlyList<AudioSample> samples, int most, ulong seed) => ProbeSamples.Read(
        [.. samples.Where(s => s.Length >= SpeechClip.Length)], most, seed, s => s.Name,
        s => new ProbeClip(s.Name, Middle(s), s.Speaker), bad!);

    private static float[] Middle(AudioSample sample)
    {
        var wave = sample.Read();
        if (wave.Length < SpeechClip.Length)
            throw new InvalidDataException($"{sample.Name}: the file gives {wave.Length} samples at 16 kHz; its head "
                + $"promises {sample.Length}.");
        wave = wave[((wave.Length - SpeechClip.Length) / 2)..][..SpeechClip.Length];
        AudioFeatureExtractor.Normalise(wave);
        return wave;
    }
}
