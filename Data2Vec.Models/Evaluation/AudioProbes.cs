using Data2Vec.Kernels;
using Data2Vec.Models.Data;

namespace Data2Vec.Models.Evaluation;

/// <summary>Which frames the probes of speech ask for, and how many.</summary>
public sealed record AudioProbeOptions
{
    /// <summary>How frames are hidden; null = spans of 5 frames, about half of all.</summary>
    public SpanMaskConfig? Mask { get; init; }

    /// <summary>Training clips to fit on.</summary>
    public int TrainingClips { get; init; } = 200;

    /// <summary>Held-out clips to test on.</summary>
    public int TestClips { get; init; } = 150;

    /// <summary>Frames to fit on at most.</summary>
    public int TrainingFrames { get; init; } = 10_000;

    /// <summary>Frames to test on at most.</summary>
    public int TestFrames { get; init; } = 6000;

    /// <summary>Seed of masks and frames; not that of training.</summary>
    public ulong Seed { get; init; } = 1;
}

/// <summary>
/// Linear probes of frozen features on spoken digits, fitted on clips of the training voices and tested on voices that
/// nobody heard before. The headline asks at a hidden frame for the phone that is spoken there.
/// </summary>
/// <remarks>
/// Only frames in which somebody speaks are asked for; 19 phones. The examples are drawn once, so that every encoder is
/// asked the same. The voice probe is fitted on one half of the held-out clips and tested on the other.
/// </remarks>
public sealed class AudioProbes
{
    private const double Freedom = 0.05;
    private const double VoiceFreedom = 1;
    private const int FewestFrames = 2000;
    private const int FewestClips = 50;
    private const int Neighbours = 2;

    private readonly SpeechFrameSet training;
    private readonly SpeechFrameSet test;
    private readonly Lazy<(AudioBaselines Training, AudioBaselines Test)> spectra;
    private readonly List<Probe> probes = [];
    private IReadOnlyList<ProbeBaseline>? baselines;

    /// <summary>Chooses clips and draws masks and frames.</summary>
    /// <param name="speech">The clips.</param>
    /// <param name="options">Numbers, masks and the seed.</param>
    public AudioProbes(DigitSpeech speech, AudioProbeOptions? options = null)
    {
        options ??= new AudioProbeOptions();
        var mask = options.Mask ?? new SpanMaskConfig(Probability: 0.6, Length: 5);
        SpeechFrameSet Draw(IReadOnlyList<SpeechClip> clips, int count, int frames, ushort part) => SpeechFrameSet.Draw(
            [.. clips.Take(count)], mask, frames, new RandomKey(options.Seed, 0, part, DataSites.ProbeExamples));
        training = Draw(speech.Training, options.TrainingClips, options.TrainingFrames, 0);
        test = Draw(speech.HeldOut, options.TestClips, options.TestFrames, 1);
        spectra = new(() => (new AudioBaselines(training), new AudioBaselines(test)));
        AddHiddenPhone();
        AddVisiblePhone();
        AddNumberOfDigits();
        AddVoice();
    }

    /// <summary>Names of the probes, in the order of all results; the first is the headline.</summary>
    public IReadOnlyList<string> Names => [.. probes.Select(p => p.Name)];

    /// <summary>Probes that these clips have too few examples for, each with the reason.</summary>
    public List<string> LeftOut { get; } = [];

    /// <summary>Every simple baseline; computed at the first call.</summary>
    public IReadOnlyList<ProbeBaseline> Baselines => baselines ??= [.. probes.SelectMany(p => p.Baselines())];

    /// <summary>Accuracy of every probe on one encoder's features.</summary>
    /// <exception cref="ArgumentException">
    /// The encoder makes another number of frames, or its features have the wrong size or are not finite.
    /// </exception>
    public IReadOnlyList<double> Accuracies(IAudioFeatures features)
    {
        foreach (var length in training.Waves.Concat(test.Waves).Select(w => w.Length).Distinct())
            if (features.Frames(length) != SpeechFrameSet.Frames(length))
                throw new ArgumentException(
                    $"Audio probes need frames of {SpeechFrameSet.Window} samples every {SpeechFrameSet.Hop}, so "
                    + $"{SpeechFrameSet.Frames(length)} of {length} samples; "
                    + $"the encoder makes {features.Frames(length)}.");
        var source = new Source(
            new(() => Features(s => features.AtFrames(s.Waves, s.Masks, s.Hidden), features.Width)),
            new(() => Features(s => features.AtFrames(s.Waves, null, s.Visible), features.Width)),
            new(() => Features(s => features.MeanPooled(s.Waves), features.Width)));
        return [.. probes.Select(p => p.Features(source).Score(p.Labels, p.Freedom))];
    }

    /// <summary>The results, beside the majority class and the strongest simple baseline of every probe.</summary>
    /// <param name="random">Accuracies of the untrained encoder.</param>
    /// <param name="pretrained">Accuracies of the trained encoder.</param>
    public IReadOnlyList<ProbeResult> Results(IReadOnlyList<double> random, IReadOnlyList<double> pretrained) =>
        [.. probes.Select((p, i) => new ProbeResult(
            p.Name, p.Labels.Test.Length, p.Labels.Majority(),
            Baselines.Where(b => b.Probe == p.Name).Max(b => b.Accuracy), random[i], pretrained[i]))];

    private void AddHiddenPhone()
    {
        var labels = new ProbeLabels(
            training.Phones(training.Hidden), test.Phones(test.Hidden), DigitPhones.Names.Count - 1);
        Add("phone of the hidden frame", labels, Freedom, FewestFrames, s => s.Hidden.Value,
            ("log-mel of the nearest visible frames", () => new(
                spectra.Value.Training.NearestVisible(training.Hidden), spectra.Value.Test.NearestVisible(test.Hidden),
                AudioBaselines.NearestWidth)));
    }

    private void AddVisiblePhone()
    {
        var labels = new ProbeLabels(
            training.Phones(training.Visible), test.Phones(test.Visible), DigitPhones.Names.Count - 1);
        ProbeFeatures Around(int neighbours) => new(
            spectra.Value.Training.Around(training.Visible, neighbours),
            spectra.Value.Test.Around(test.Visible, neighbours), AudioBaselines.AroundWidth(neighbours));
        Add("phone of a visible frame", labels, Freedom, FewestFrames, s => s.Visible.Value,
            ("log-mel of the frame", () => Around(0)),
            ("log-mel with two neighbours each side", () => Around(Neighbours)));
    }

    private void AddNumberOfDigits()
    {
        int[] Counts(SpeechFrameSet set) => [.. set.Clips.Select(c => c.Digits.Count)];
        var known = Counts(training).Distinct().Order().ToList();
        var asked = Counts(test);
        if (known.Count < 2 || asked.Except(known).Any())
        {
            LeftOut.Add("number of digits: held-out clips have numbers that training clips have not");
            return;
        }
        var labels = new ProbeLabels(
            [.. Counts(training).Select(n => known.IndexOf(n))], [.. asked.Select(n => known.IndexOf(n))], known.Count);
        Add("number of digits", labels, Freedom, FewestClips, s => s.Pooled.Value,
            ("log-mel, mean and deviation", () => new(
                spectra.Value.Training.Pooled(), spectra.Value.Test.Pooled(), AudioBaselines.PooledWidth)));
    }

    private void AddVoice()
    {
        // Voices take turns; the first clip of each pair by the same voice is for fitting.
        var voices = test.Clips.Select(c => c.Voice).Distinct().Order().ToList();
        var turns = new Dictionary<int, int>();
        var (fit, held) = (new List<int>(), new List<int>());
        for (var i = 0; i < test.Clips.Count; i++)
        {
            var turn = turns.GetValueOrDefault(test.Clips[i].Voice);
            turns[test.Clips[i].Voice] = turn + 1;
            (turn % 2 == 0 ? fit : held).Add(i);
        }
        int[] Labels(List<int> rows) => [.. rows.Select(r => voices.IndexOf(test.Clips[r].Voice))];
        ProbeFeatures Halves(float[] all, int columns) =>
            new(Rows(all, fit, columns), Rows(all, held, columns), columns);
        var labels = new ProbeLabels(Labels(fit), Labels(held), Math.Max(2, voices.Count));
        Add("voice", labels, VoiceFreedom, FewestClips, s => Halves(s.Pooled.Value.Test, s.Pooled.Value.Columns),
            ("log-mel, mean and deviation", () => Halves(spectra.Value.Test.Pooled(), AudioBaselines.PooledWidth)));
    }

    private void Add(
        string name, ProbeLabels labels, double freedom, int fewest, Func<Source, ProbeFeatures> features,
        params (string Name, Func<ProbeFeatures> Features)[] simple)
    {
        if (labels.Training.Length < fewest || labels.Test.Length < fewest)
            LeftOut.Add($"{name}: {labels.Training.Length} examples to fit and {labels.Test.Length} to test, "
                + $"{fewest} of each are needed");
        else probes.Add(new Probe(name, labels, freedom, features, () =>
            [.. simple.Select(s => new ProbeBaseline(name, s.Name, s.Features().Score(labels, freedom)))]));
    }

    private ProbeFeatures Features(Func<SpeechFrameSet, float[]> read, int width) =>
        new(read(training), read(test), width);

    private static float[] Rows(float[] features, List<int> rows, int columns) =>
        [.. rows.SelectMany(r => features[(r * columns)..((r + 1) * columns)])];

    private sealed record Probe(
        string Name, ProbeLabels Labels, double Freedom, Func<Source, ProbeFeatures> Features,
        Func<IReadOnlyList<ProbeBaseline>> Baselines);

    /// <summary>Features of one encoder, computed once for several probes.</summary>
    private sealed record Source(Lazy<ProbeFeatures> Hidden, Lazy<ProbeFeatures> Visible, Lazy<ProbeFeatures> Pooled);
}
