using Data2Vec.Models.Data;

namespace Data2Vec.Models.Evaluation;

/// <summary>Which pictures the probes use, and how many.</summary>
public sealed record VisionProbeOptions
{
    /// <summary>What the pictures show: that on which the encoder is trained.</summary>
    public PictureKind Kind { get; init; } = PictureKind.Textured;

    /// <summary>Pixels of the pictures' sides, a multiple of <see cref="Patch"/>.</summary>
    public int Side { get; init; } = 24;

    /// <summary>Pixels of a patch's sides.</summary>
    public int Patch { get; init; } = 4;

    /// <summary>Masks of the hidden patches, on the grid of the patches; null = 60 % in blocks of 4 and more.</summary>
    public BlockMaskConfig? Mask { get; init; }

    /// <summary>Pictures to fit on; about two thirds of the hidden patches lie off the edge.</summary>
    public int Training { get; init; } = 4000;

    /// <summary>Pictures to test on; at least 2,000 of their hidden patches lie off the edge.</summary>
    public int Test { get; init; } = 3600;

    /// <summary>
    /// Seed of masks and pictures. The pictures are made for the probes (seed and seed + 1, far from those that runs
    /// use), so the encoder met none of them.
    /// </summary>
    public ulong Seed { get; init; } = 0x7669_7369_6F6E_0001;
}

/// <summary>One simple baseline of a probe.</summary>
/// <param name="Probe">Name of the probe.</param>
/// <param name="Name">What it looks at.</param>
/// <param name="Accuracy">On the test examples.</param>
public sealed record ProbeBaseline(string Probe, string Name, double Accuracy);

/// <summary>
/// Linear probes of frozen features on generated pictures. The headline asks at a hidden patch for the hue of what is
/// there: a random encoder cannot answer, and neither can a bag of pixels.
/// </summary>
/// <remarks>
/// The examples are drawn once, so that every encoder is asked the same. Silhouettes have no hue to ask for, but
/// outlines in which a pooled encoder can learn to see shapes.
/// </remarks>
public sealed class VisionProbes
{
    private const double FeatureFreedom = 0.3;
    private const double PixelFreedom = 0.003;
    private const double FewFreedom = 0.05;
    private const int Few = 40;
    private const int FewDraws = 3;
    private const int FewestTest = 100;

    private const string Around = "5 x 5 patches";

    private readonly HiddenPatchSet training;
    private readonly HiddenPatchSet test;
    private readonly Lazy<ProbeFeatures> around;
    private readonly Lazy<ProbeFeatures> pixels;
    private readonly List<Probe> probes = [];
    private IReadOnlyList<ProbeBaseline>? baselines;

    /// <summary>Makes the pictures and draws the masks.</summary>
    /// <exception cref="ArgumentException">The sides do not fit, or a number is out of range.</exception>
    public VisionProbes(VisionProbeOptions? options = null)
    {
        options ??= new VisionProbeOptions();
        if (options.Patch < 1 || options.Side % options.Patch != 0)
            throw new ArgumentException(
                $"Vision probes: a side of {options.Side} pixels is no multiple of patches of {options.Patch}.");
        var grid = options.Side / options.Patch;
        var masks = options.Mask ?? new BlockMaskConfig(grid, grid, (int)Math.Round(0.6 * grid * grid), 4);
        if (masks.Height != grid || masks.Width != grid)
            throw new ArgumentException(
                $"Vision probes: masks of {masks.Height} x {masks.Width} patches do not fit {grid} x {grid} patches.");
        HiddenPatchSet Draw(ulong seed, int count) => HiddenPatchSet.Draw(
            ShapePictures.Generate(options.Kind, seed, count, options.Side), options.Patch, masks, seed);
        training = Draw(options.Seed, options.Training);
        test = Draw(options.Seed + 1, options.Test);
        around = new(() => VisionBaselines.Neighbourhood(training, test));
        pixels = new(() => VisionBaselines.Pixels(training, test));
        if (options.Kind == PictureKind.Textured)
        {
            AddHiddenHue();
            AddPlace("hidden patch outside, edge or inside");
            AddPooled("pooled hue", p => p.Hue, ShapePicture.Hues);
            AddPooled("pooled shape", p => (int)p.Shape, 6);
        }
        else
        {
            AddPlace("silhouettes: hidden patch outside, edge or inside");
            AddPooled("silhouettes: pooled shape", p => (int)p.Shape, 6);
        }
    }

    /// <summary>Names of the probes, in the order of all results; the first is the headline.</summary>
    public IReadOnlyList<string> Names => [.. probes.Select(p => p.Name)];

    /// <summary>Probes that the masks leave too few examples for, each with the reason.</summary>
    public List<string> LeftOut { get; } = [];

    /// <summary>Every simple baseline; computed at the first call.</summary>
    public IReadOnlyList<ProbeBaseline> Baselines => baselines ??=
        [.. probes.SelectMany(p => p.Baselines())];

    /// <summary>Accuracy of every probe on one encoder's features.</summary>
    /// <exception cref="ArgumentException">The features have the wrong size or are not finite.</exception>
    public IReadOnlyList<double> Accuracies(IVisionFeatures features)
    {
        var source = new Source(
            new(() => new(training.Features(features), test.Features(features), features.Width)),
            new(() => new(Pooled(training, features), Pooled(test, features), features.Width)));
        return [.. probes.Select(p => p.Accuracy(source))];
    }

    /// <summary>The results, beside the majority class and the strongest simple baseline of every probe.</summary>
    /// <param name="random">Accuracies of the untrained encoder.</param>
    /// <param name="pretrained">Accuracies of the trained encoder.</param>
    public IReadOnlyList<ProbeResult> Results(IReadOnlyList<double> random, IReadOnlyList<double> pretrained) =>
        [.. probes.Select((p, i) => new ProbeResult(
            p.Name, p.Labels.Test.Length, p.Labels.Majority(),
            Baselines.Where(b => b.Probe == p.Name).Max(b => b.Accuracy), random[i], pretrained[i]))];

    private void AddHiddenHue()
    {
        int[] fit = [.. training.RowsOffTheEdge()];
        int[] held = [.. test.RowsOffTheEdge()];
        var labels = new ProbeLabels(training.Hues(fit), test.Hues(held), ShapePicture.Hues);
        ProbeFeatures OffTheEdge(ProbeFeatures all) => all with
        {
            Training = Rows(all.Training, fit, all.Columns), Test = Rows(all.Test, held, all.Columns),
        };
        bool Right(int i) => VisionBaselines.NearestHue(test, i) == test.Pictures[i].HueOf(test.Places[i]);
        ProbeBaseline Nearest(string probe) =>
            new(probe, "nearest visible hue", held.Count(Right) / (double)held.Length);
        Add("hue of the hidden patch", labels, f => f.Score(labels, FeatureFreedom), s => OffTheEdge(s.Hidden.Value),
            name => [new(name, Around, OffTheEdge(around.Value).Score(labels, PixelFreedom)), Nearest(name)]);
        // The nearest hue needs no label at all, and so it is a baseline here too.
        Add("hue of the hidden patch from 40 labels", labels, f => f.FewShot(labels, Few, FewDraws, FewFreedom),
            s => OffTheEdge(s.Hidden.Value),
            name => [new(name, Around, OffTheEdge(around.Value).FewShot(labels, Few, FewDraws, PixelFreedom)),
                Nearest(name)]);
    }

    private void AddPlace(string name)
    {
        var labels = new ProbeLabels(
            [.. training.Places.Select(p => (int)p)], [.. test.Places.Select(p => (int)p)], 3);
        Add(name, labels, f => f.Score(labels, FeatureFreedom), s => s.Hidden.Value,
            name => [new(name, Around, around.Value.Score(labels, PixelFreedom))]);
    }

    private void AddPooled(string name, Func<ShapePicture, int> label, int classes)
    {
        var labels = new ProbeLabels(
            [.. training.Pictures.Select(label)], [.. test.Pictures.Select(label)], classes);
        Add(name, labels, f => f.Score(labels, FeatureFreedom), s => s.Pooled.Value,
            name => [new(name, "pixels", pixels.Value.Score(labels, PixelFreedom))]);
    }

    private void Add(
        string name, ProbeLabels labels, Func<ProbeFeatures, double> score, Func<Source, ProbeFeatures> features,
        Func<string, IReadOnlyList<ProbeBaseline>> simple)
    {
        if (labels.Training.Length < Few * FewDraws || labels.Test.Length < FewestTest)
            LeftOut.Add($"{name}: {labels.Training.Length} examples to fit and {labels.Test.Length} to test, "
                + $"{Few * FewDraws} and {FewestTest} are needed");
        else probes.Add(new Probe(name, labels, s => score(features(s)), () => simple(name)));
    }

    private static float[] Pooled(HiddenPatchSet set, IVisionFeatures features) =>
        features.MeanPooled([.. set.Pictures.Select(p => p.Image)]);

    private static float[] Rows(float[] features, int[] rows, int columns)
    {
        var chosen = new float[rows.Length * columns];
        for (var i = 0; i < rows.Length; i++)
            features.AsSpan(rows[i] * columns, columns).CopyTo(chosen.AsSpan(i * columns));
        return chosen;
    }

    private sealed record Probe(
        string Name, ProbeLabels Labels, Func<Source, double> Accuracy, Func<IReadOnlyList<ProbeBaseline>> Baselines);

    /// <summary>Features of one encoder, computed once for several probes.</summary>
    private sealed record Source(Lazy<ProbeFeatures> Hidden, Lazy<ProbeFeatures> Pooled);
}
