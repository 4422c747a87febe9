using Data2Vec.Models.Data;

namespace Data2Vec.Models.Evaluation;

/// <summary>A clip of a probe.</summary>
/// <param name="Name">Name of the utterance.</param>
/// <param name="Wave"><see cref="SpeechClip.Length"/> samples at 16 kHz, of zero mean and unit variance.</param>
/// <param name="Speaker">Who speaks; null when it is not known.</param>
public sealed record ProbeClip(string Name, float[] Wave, string? Speaker);

/// <summary>
/// Linear probes of frozen features on recorded speech, which has no labels but its speakers: at a hidden frame, which
/// part of the spectrum stands out there; of a whole clip, who speaks.
/// </summary>
/// <remarks>
/// The first is fitted on training clips and tested on held-out ones. For the second the clips of every speaker go to
/// both sides by a hash of their names; held-out speakers are asked about where they have clips enough, else all.
/// </remarks>
public sealed class SpeechFileProbes : IProbes<IAudioFeatures>
{
    private const double Freedom = 0.05;
    private const double VoiceFreedom = 1;
    private const int Fewest = 100;
    private const int FewestOfSpeaker = 5;
    private const int MostSpeakers = 100;

    private readonly ProbeList<Source> probes = new(Fewest, Fewest);
    private readonly IReadOnlyList<ProbeClip> training;
    private readonly IReadOnlyList<ProbeClip> test;
    private readonly Lazy<IReadOnlyList<FrameFeatures>> trainingBands;
    private readonly Lazy<IReadOnlyList<FrameFeatures>> testBands;
    private MaskedClips? fit;
    private MaskedClips? ask;

    /// <summary>Draws masks and examples.</summary>
    /// <param name="training">Clips that the encoder is trained on.</param>
    /// <param name="test">Clips held out.</param>
    /// <param name="spoken">
    /// Clips of known speakers, held out or not: asked for where the held-out ones are too few. Null = none.
    /// </param>
    /// <param name="options">Masks, numbers of frames and seed; null = the defaults.</param>
    /// <exception cref="ArgumentException">A wave has another length.</exception>
    public SpeechFileProbes(
        IReadOnlyList<ProbeClip> training, IReadOnlyList<ProbeClip> test,
        Func<IReadOnlyList<ProbeClip>>? spoken = null, AudioProbeOptions? options = null)
    {
        options ??= new AudioProbeOptions();
        foreach (var clip in training.Concat(test)) Check(clip);
        (this.training, this.test) = (training, test);
        trainingBands = new(() => AudioBaselines.Analyse(Waves(training)));
        testBands = new(() => AudioBaselines.Analyse(Waves(test)));
        AddLoudestBand(options);
        AddSpeaker(spoken ?? (() => []));
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> Names => probes.Names;

    /// <inheritdoc/>
    public IReadOnlyList<string> LeftOut => probes.LeftOut;

    /// <inheritdoc/>
    public IReadOnlyList<ProbeBaseline> Baselines => probes.Baselines;

    /// <inheritdoc/>
    public IReadOnlyList<double> Accuracies(IAudioFeatures features)
    {
        if (features.Frames(SpeechClip.Length) is var frames && frames != MaskedClips.Count)
            throw new ArgumentException($"Speech probes: the encoder cuts a clip of {SpeechClip.Length} samples into "
                + $"{frames} frames; expected {MaskedClips.Count}, one every 20 ms.", nameof(features));
        float[] Hidden(MaskedClips set) => features.AtFrames(set.Waves, set.Masks, set.Hidden);
        return probes.Accuracies(new Source(
            () => new(Hidden(fit!), Hidden(ask!), features.Width),
            clips => features.MeanPooled(Waves(clips)), features.Width));
    }

    /// <inheritdoc/>
    public IReadOnlyList<ProbeResult> Results(IReadOnlyList<double> random, IReadOnlyList<double> pretrained) =>
        probes.Results(random, pretrained);

    private void AddLoudestBand(AudioProbeOptions options)
    {
        const string Name = "loudest band of the hidden frame";
        if (training.Count == 0 || test.Count == 0)
        {
            probes.LeftOut.Add($"{Name}: of {training.Count} clips to fit and {test.Count} held-out ones that last "
                + $"{SpeechClip.Length / (double)SpeechClip.SampleRate} s, one of each is needed at least");
            return;
        }
        var usual = new LoudestBands(trainingBands.Value);
        var held = new LoudestBands(testBands.Value, usual);
        fit = new(Waves(training), options.Mask, options.TrainingFrames, options.Seed, usual.IsLoud);
        ask = new(Waves(test), options.Mask, options.TestFrames, options.Seed + 1, held.IsLoud);
        var labels = new ProbeLabels(
            [.. fit.Hidden.Select(p => usual.Of(p.Clip, p.Frame))],
            [.. ask.Hidden.Select(p => held.Of(p.Clip, p.Frame))], LoudestBands.Count);
        var seen = new AudioBaselines(ask, testBands.Value);
        probes.Add(Name, labels, s => s.Hidden().Score(labels, Freedom), () =>
        [
            ("log-mel of the nearest visible frames", new ProbeFeatures(
                new AudioBaselines(fit, trainingBands.Value).Neighbours(), seen.Neighbours(),
                AudioBaselines.NeighbourWidth).Score(labels, Freedom)),
            ("the same of the nearest visible frame", ask.Hidden.Average(p => held.Of(p.Clip, p.Frame)
                == held.Of(p.Clip, seen.Nearest(p.Clip, p.Frame).Nearer(p.Frame)) ? 1.0 : 0)),
        ]);
    }

    private void AddSpeaker(Func<IReadOnlyList<ProbeClip>> spoken)
    {
        var (name, clips, halves) = ("speaker held out, pooled", test, Halves(test));
        if (halves is null || halves.Fit.Length < Fewest || halves.Ask.Length < Fewest)
        {
            (name, clips) = ("speaker, pooled", spoken());
            foreach (var clip in clips) Check(clip);
            halves = Halves(clips);
        }
        if (halves is null)
        {
            probes.LeftOut.Add($"{name}: there are not two speakers known with {FewestOfSpeaker} clips to fit");
            return;
        }
        var bands = new Lazy<float[]>(() => AudioBaselines.Pooled(AudioBaselines.Analyse(Waves(clips))));
        ProbeFeatures Of(float[] rows, int columns) =>
            new ProbeFeatures(rows, rows, columns).Rows(halves.Fit, halves.Ask);
        probes.Add(name, halves.Labels, s => Of(s.Pooled(clips), s.Width).Score(halves.Labels, VoiceFreedom),
            () => [("log-mel mean and deviation",
                Of(bands.Value, 2 * AudioBaselines.Bands).Score(halves.Labels, VoiceFreedom))]);
    }

    /// <summary>Clips to fit and clips to ask about, of the same speakers.</summary>
    private static SpeakerHalves? Halves(IReadOnlyList<ProbeClip> clips)
    {
        var byHalf = Enumerable.Range(0, clips.Count).Where(i => clips[i].Speaker is not null)
            .ToLookup(i => StableHash.Of(clips[i].Name) % 2 == 0);
        var speakers = byHalf[true].CountBy(i => clips[i].Speaker!).Where(c => c.Value >= FewestOfSpeaker)
            .OrderByDescending(c => c.Value).ThenBy(c => c.Key, StringComparer.Ordinal).Take(MostSpeakers)
            .Select((c, number) => (c.Key, number)).ToDictionary();
        if (speakers.Count < 2) return null;
        int[] Known(bool half) => [.. byHalf[half].Where(i => speakers.ContainsKey(clips[i].Speaker!))];
        int[] Labels(int[] rows) => [.. rows.Select(i => speakers[clips[i].Speaker!])];
        var (fit, ask) = (Known(true), Known(false));
        return new(fit, ask, new(Labels(fit), Labels(ask), speakers.Count));
    }

    private static void Check(ProbeClip clip)
    {
        if (clip.Wave.Length != SpeechClip.Length)
            throw new ArgumentException(
                $"Speech probes: {clip.Name} has {clip.Wave.Length} samples; expected {SpeechClip.Length}.");
    }

    private static float[][] Waves(IReadOnlyList<ProbeClip> clips) => [.. clips.Select(c => c.Wave)];

    private sealed record SpeakerHalves(int[] Fit, int[] Ask, ProbeLabels Labels);

    private sealed record Source(
        Func<ProbeFeatures> Hidden, Func<IReadOnlyList<ProbeClip>, float[]> Pooled, int Width);
}
