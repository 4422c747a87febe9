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

/// <summary>
/// Linear probes of frozen features on generated pictures. The headline asks at a hidden patch for the hue of what is
/// there: a random encoder cannot answer, and neither can a bag of pixels.
/// </summary>
/// <remarks>
/// The examples are drawn once, so that every encoder is asked the same. Silhouettes have no hue to ask for, but
/// outlines in which a pooled encoder can learn to see shapes.
/// </remarks>
public sealed class VisionProbes : IProbes<IVisionFeatures>
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
    private readonly ProbeList<Source> probes = new(Few * FewDraws, FewestTest);

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
        around = new(() => VisionBaselines.Neighbourhood(training.View, test.View));
        pixels = new(() => VisionBaselines.Pixels(training.View.Pictures, test.View.Pictures, options.Patch));
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

    /// <inheritdoc/>
    public IReadOnlyList<string> Names => probes.Names;

    /// <inheritdoc/>
    public IReadOnlyList<string> LeftOut => probes.LeftOut;

    /// <inheritdoc/>
    public IReadOnlyList<ProbeBaseline> Baselines => probes.Baselines;

    /// <inheritdoc/>
    public IReadOnlyList<double> Accuracies(IVisionFeatures features)
    {
        var source = new Source(
            new(() => new(training.Features(features), test.Features(features), features.Width)),
            new(() => new(Pooled(training, features), Pooled(test, features), features.Width)));
        return probes.Accuracies(source);
    }

    /// <inheritdoc/>
    public IReadOnlyList<ProbeResult> Results(IReadOnlyList<double> random, IReadOnlyList<double> pretrained) =>
        probes.Results(random, pretrained);

    private void AddHiddenHue()
    {
        int[] fit = [.. training.RowsOffTheEdge()];
        int[] held = [.. test.RowsOffTheEdge()];
        var labels = new ProbeLabels(training.Hues(fit), test.Hues(held), ShapePicture.Hues);
        ProbeFeatures OffTheEdge(ProbeFeatures all) => all.Rows(fit, held);
        bool Right(int i) => test.View.NearestHue(i) == test.Pictures[i].HueOf(test.Places[i]);
        (string, double) Nearest() => ("nearest visible hue", held.Count(Right) / (double)held.Length);
        probes.Add("hue of the hidden patch", labels, s => OffTheEdge(s.Hidden.Value).Score(labels, FeatureFreedom),
            () => [(Around, OffTheEdge(around.Value).Score(labels, PixelFreedom)), Nearest()]);
        // The nearest hue needs no label at all, and so it is a baseline here too.
        probes.Add("hue of the hidden patch from 40 labels", labels,
            s => OffTheEdge(s.Hidden.Value).FewShot(labels, Few, FewDraws, FewFreedom),
            () => [(Around, OffTheEdge(around.Value).FewShot(labels, Few, FewDraws, PixelFreedom)), Nearest()]);
    }

    private void AddPlace(string name)
    {
        var labels = new ProbeLabels(
            [.. training.Places.Select(p => (int)p)], [.. test.Places.Select(p => (int)p)], 3);
        probes.Add(name, labels, s => s.Hidden.Value.Score(labels, FeatureFreedom),
            () => [(Around, around.Value.Score(labels, PixelFreedom))]);
    }

    private void AddPooled(string name, Func<ShapePicture, int> label, int classes)
    {
        var labels = new ProbeLabels(
            [.. training.Pictures.Select(label)], [.. test.Pictures.Select(label)], classes);
        probes.Add(name, labels, s => s.Pooled.Value.Score(labels, FeatureFreedom),
            () => [("pixels", pixels.Value.Score(labels, PixelFreedom))]);
    }

    private static float[] Pooled(HiddenPatchSet set, IVisionFeatures features) =>
        features.MeanPooled([.. set.Pictures.Select(p => p.Image)]);

    /// <summary>Features of one encoder, computed once for several probes.</summary>
    private sealed record Source(Lazy<ProbeFeatures> Hidden, Lazy<ProbeFeatures> Pooled);
}
