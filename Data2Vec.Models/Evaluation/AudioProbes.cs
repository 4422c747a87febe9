using Data2Vec.Models.Data;

namespace Data2Vec.Models.Evaluation;

/// <summary>Which clips the probes use, and how many.</summary>
public sealed record AudioProbeOptions
{
    /// <summary>Masks of the hidden frames.</summary>
    public SpanMaskConfig Mask { get; init; } = new(0.6, 5);

    /// <summary>Training clips to fit on, at most.</summary>
    public int TrainingClips { get; init; } = 320;

    /// <summary>Held-out clips to test on, at most.</summary>
    public int HeldOutClips { get; init; } = 300;

    /// <summary>Clips of files by which speakers are told apart, at most; half of them are to fit on.</summary>
    public int SpeakerClips { get; init; } = 800;

    /// <summary>Frames to fit on, at most.</summary>
    public int TrainingFrames { get; init; } = 10000;

    /// <summary>Frames to test on, at most.</summary>
    public int TestFrames { get; init; } = 6000;

    /// <summary>Seed of the masks and of the choice of frames.</summary>
    public ulong Seed { get; init; } = 0x6175_6469_6F00_0001;
}

/// <summary>
/// Linear probes of frozen features on generated speech, tested on voices that the encoder never heard. The headline
/// asks at a hidden frame for the sound that is made there.
/// </summary>
/// <remarks>
/// The examples are drawn once, so that every encoder is asked the same. Silent frames are not asked about. Every
/// probe that needs fitting on several voices is fitted on training clips; voices are told apart among the unseen ones.
/// </remarks>
public sealed class AudioProbes : IProbes<IAudioFeatures>
{
    private const double Freedom = 0.05;
    private const double VoiceFreedom = 1;
    private const int FewestTraining = 100;
    private const int FewestTest = 100;
    private const int FewestDigits = 3;
    private const int DigitCounts = 5;

    private readonly SpeechFrames training;
    private readonly SpeechFrames test;
    private readonly Lazy<(AudioBaselines Training, AudioBaselines Test)> mel;
    private readonly ProbeList<Source> probes = new(FewestTraining, FewestTest);

    /// <summary>Draws masks and examples.</summary>
    /// <param name="speech">Generated speech: that on which the encoder is trained.</param>
    /// <param name="options">Null = the defaults.</param>
    /// <exception cref="ArgumentException">A number is out of range, or the masks would hide whole clips.</exception>
    public AudioProbes(DigitSpeech speech, AudioProbeOptions? options = null)
    {
        options ??= new AudioProbeOptions();
        foreach (var count in (int[])[
            options.TrainingClips, options.HeldOutClips, options.SpeakerClips, options.TrainingFrames,
            options.TestFrames])
            if (count < 0) throw new ArgumentException($"Audio probes: a count of {count} is negative.");
        training = new([.. speech.Training.Take(options.TrainingClips)], options.Mask, options.TrainingFrames,
            options.Seed);
        test = new([.. speech.HeldOut.Take(options.HeldOutClips)], options.Mask, options.TestFrames,
            options.Seed + 1);
        mel = new(() => (new(training), new(test)));
        AddFrames();
        AddDigits();
        AddVoice();
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> Names => probes.Names;

    /// <inheritdoc/>
    public IReadOnlyList<string> LeftOut => probes.LeftOut;

    /// <inheritdoc/>
    public IReadOnlyList<ProbeBaseline> Baselines => probes.Baselines;

    /// <summary>Accuracy of every probe on one encoder's features.</summary>
    /// <exception cref="ArgumentException">
    /// The encoder cuts other frames than the probes, or the features have the wrong size or are not finite.
    /// </exception>
    public IReadOnlyList<double> Accuracies(IAudioFeatures features)
    {
        if (features.Frames(SpeechClip.Length) is var frames && frames != MaskedClips.Count)
            throw new ArgumentException($"Audio probes: the encoder cuts a clip of {SpeechClip.Length} samples into "
                + $"{frames} frames; expected {MaskedClips.Count}, one every 20 ms.", nameof(features));
        var source = new Source(
            new(() => Frames(features, s => s.Masks, s => s.Hidden)),
            new(() => Frames(features, _ => null, s => s.Spoken)),
            new(() => new(features.MeanPooled(training.Waves), features.MeanPooled(test.Waves), features.Width)));
        return probes.Accuracies(source);
    }

    /// <inheritdoc/>
    public IReadOnlyList<ProbeResult> Results(IReadOnlyList<double> random, IReadOnlyList<double> pretrained) =>
        probes.Results(random, pretrained);

    private void AddFrames()
    {
        var phones = DigitSpeech.Phones.Count - 1;
        Add("masked frame to phone",
            new(training.Phones(training.Hidden), test.Phones(test.Hidden), phones), Freedom, s => s.Hidden.Value,
            () => [("log-mel of the nearest visible frames", new(
                mel.Value.Training.Neighbours(), mel.Value.Test.Neighbours(), AudioBaselines.NeighbourWidth))]);
        ProbeFeatures Spoken(int reach) => new(mel.Value.Training.Spoken(reach), mel.Value.Test.Spoken(reach),
            (2 * reach + 1) * AudioBaselines.Bands);
        Add("visible frame to phone",
            new(training.Phones(training.Spoken), test.Phones(test.Spoken), phones), Freedom, s => s.Visible.Value,
            () => [("log-mel of the frame", Spoken(0)), ("log-mel of five frames", Spoken(2))]);
    }

    private void AddDigits()
    {
        static int[] Counts(SpeechFrames set) => [.. set.Clips.Select(c => c.Digits - FewestDigits)];
        Add("number of digits, pooled", new(Counts(training), Counts(test), DigitCounts), Freedom,
            s => s.Pooled.Value, () => [("log-mel mean and deviation", PooledBands())]);
    }

    /// <summary>Each unseen voice's clips go to both halves by turns: its number says which of them it is.</summary>
    private void AddVoice()
    {
        const int Voices = DigitSpeech.HeldOutVoices;
        var halves = Enumerable.Range(0, test.Clips.Count).ToLookup(i => i / Voices % 2 == 0);
        int[] fit = [.. halves[true]];
        int[] ask = [.. halves[false]];
        int[] Of(int[] rows) => [.. rows.Select(i => test.Clips[i].Voice - DigitSpeech.TrainingVoices)];
        ProbeFeatures Halves(ProbeFeatures all) => (all with { Training = all.Test }).Rows(fit, ask);
        Add("voice, pooled", new(Of(fit), Of(ask), Voices), VoiceFreedom, s => Halves(s.Pooled.Value),
            () => [("log-mel mean and deviation", Halves(PooledBands()))]);
    }

    private ProbeFeatures PooledBands() =>
        new(mel.Value.Training.Pooled(), mel.Value.Test.Pooled(), 2 * AudioBaselines.Bands);

    private void Add(
        string name, ProbeLabels labels, double freedom, Func<Source, ProbeFeatures> features,
        Func<IReadOnlyList<(string Name, ProbeFeatures Features)>> simple) =>
        probes.Add(name, labels, s => features(s).Score(labels, freedom),
            () => [.. simple().Select(b => (b.Name, b.Features.Score(labels, freedom)))]);

    private ProbeFeatures Frames(
        IAudioFeatures features, Func<SpeechFrames, IReadOnlyList<bool[]>?> masks,
        Func<SpeechFrames, IReadOnlyList<(int Clip, int Frame)>> places) => new(
        features.AtFrames(training.Waves, masks(training), places(training)),
        features.AtFrames(test.Waves, masks(test), places(test)), features.Width);

    /// <summary>Features of one encoder, computed once for several probes.</summary>
    private sealed record Source(
        Lazy<ProbeFeatures> Hidden, Lazy<ProbeFeatures> Visible, Lazy<ProbeFeatures> Pooled);
}
