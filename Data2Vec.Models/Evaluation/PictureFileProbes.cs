using Data2Vec.Kernels;
using Data2Vec.Models.Data;

namespace Data2Vec.Models.Evaluation;

/// <summary>Pictures of a probe.</summary>
/// <param name="Pictures">In the size that the encoder reads.</param>
/// <param name="Labels">Number of each one's class; -1 where it has none.</param>
public sealed record ProbePictures(IReadOnlyList<RgbImage> Pictures, int[] Labels);

/// <summary>Which questions are asked about pictures of files.</summary>
public sealed record PictureFileProbeOptions
{
    /// <summary>Pixels of a patch's sides.</summary>
    public required int Patch { get; init; }

    /// <summary>Masks of the hidden patches.</summary>
    public required BlockMaskConfig Mask { get; init; }

    /// <summary>Names of the classes; empty = there are none.</summary>
    public IReadOnlyList<string> Classes { get; init; } = [];

    /// <summary>Hidden patches to fit on, about; a small collection shows every picture up to eight times.</summary>
    public int TrainingPatches { get; init; } = 4000;

    /// <summary>Hidden patches to test on, about.</summary>
    public int TestPatches { get; init; } = 2500;

    /// <summary>Seed of masks and patches.</summary>
    public ulong Seed { get; init; } = 0x7069_6374_7572_0001;
}

/// <summary>
/// Linear probes of frozen features on pictures of files, fitted on training pictures and tested on held-out ones: the
/// hue of a hidden patch, which the picture itself tells, and the class of a picture, where folders name it.
/// </summary>
/// <remarks>Only patches of a clear hue are asked about: grey has none, and white and black are grey.</remarks>
public sealed class PictureFileProbes : IProbes<IVisionFeatures>
{
    /// <summary>Levels of 255 between the strongest and the weakest of red, green and blue of a clear hue.</summary>
    private const double ClearChroma = 32;

    private const double FeatureFreedom = 0.3;
    private const double PixelFreedom = 0.003;
    private const int Fewest = 100;
    private const int MostMasks = 8;
    private const uint Site = 0x5049_4350;

    private readonly ProbeList<Source> probes = new(Fewest, Fewest);

    /// <summary>Draws masks and hidden patches.</summary>
    /// <param name="training">Pictures that the encoder is trained on.</param>
    /// <param name="test">Pictures held out.</param>
    /// <param name="options">Patches, masks, classes.</param>
    public PictureFileProbes(ProbePictures training, ProbePictures test, PictureFileProbeOptions options)
    {
        if (training.Pictures.Count == 0 || test.Pictures.Count == 0)
        {
            probes.LeftOut.Add($"hidden patches and classes: of {training.Pictures.Count} pictures to fit and "
                + $"{test.Pictures.Count} held-out ones, one of each is needed at least");
            return;
        }
        AddHiddenHue(
            Draw(training.Pictures, options, options.TrainingPatches, options.Seed),
            Draw(test.Pictures, options, options.TestPatches, options.Seed + 1));
        AddClass(training, test, options);
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> Names => probes.Names;

    /// <inheritdoc/>
    public IReadOnlyList<string> LeftOut => probes.LeftOut;

    /// <inheritdoc/>
    public IReadOnlyList<ProbeBaseline> Baselines => probes.Baselines;

    /// <inheritdoc/>
    public IReadOnlyList<double> Accuracies(IVisionFeatures features) => probes.Accuracies(new Source(features));

    /// <inheritdoc/>
    public IReadOnlyList<ProbeResult> Results(IReadOnlyList<double> random, IReadOnlyList<double> pretrained) =>
        probes.Results(random, pretrained);

    private void AddHiddenHue(MaskedPictures training, MaskedPictures test)
    {
        static int[] Hues(MaskedPictures set) =>
            [.. Enumerable.Range(0, set.Patches.Count).Select(i => set.HueOf(i).Sixth)];
        var labels = new ProbeLabels(Hues(training), Hues(test), ShapePicture.Hues);
        double Nearest(double chroma) => Enumerable.Range(0, test.Patches.Count)
            .Average(i => test.NearestHue(i, chroma) == labels.Test[i] ? 1.0 : 0);
        probes.Add("hue of the hidden patch", labels,
            s => s.AtPatches(training, test).Score(labels, FeatureFreedom), () =>
            [
                ("nearest visible hue", Nearest(0)),
                ("nearest visible clear hue", Nearest(ClearChroma)),
                ("5 x 5 patches", VisionBaselines.Neighbourhood(training, test).Score(labels, PixelFreedom)),
            ]);
    }

    private void AddClass(ProbePictures training, ProbePictures test, PictureFileProbeOptions options)
    {
        const string Name = "class of the picture, pooled";
        if (options.Classes.Count < 2)
        {
            probes.LeftOut.Add($"{Name}: the pictures do not lie in two or more folders that name classes");
            return;
        }
        var labels = new ProbeLabels(training.Labels, test.Labels, options.Classes.Count);
        probes.Add(Name, labels, s => s.Pooled(training.Pictures, test.Pictures).Score(labels, FeatureFreedom), () =>
            [("pixels", VisionBaselines.Pixels(training.Pictures, test.Pictures, options.Patch)
                .Score(labels, PixelFreedom))]);
    }

    /// <summary>
    /// Masks, each with one of the clear patches that it hides: first one of their hues, each equally likely, then a
    /// patch of it. Pictures without a clear patch are left out.
    /// </summary>
    private static MaskedPictures Draw(
        IReadOnlyList<RgbImage> pictures, PictureFileProbeOptions options, int wanted, ulong seed)
    {
        var (shown, masks, patches) = (new List<RgbImage>(), new List<bool[]>(), new List<int>());
        var times = Math.Clamp(wanted / pictures.Count, 1, MostMasks);
        for (var i = 0; i < Math.Min(wanted, pictures.Count * times); i++)
        {
            var picture = pictures[i % pictures.Count];
            var random = new PhiloxStream(new RandomKey(seed, (uint)i, 0, Site));
            var mask = BlockMasker.Mask(options.Mask, random);
            var clear = Enumerable.Range(0, mask.Length).Where(p => mask[p])
                .Select(p => (Patch: p, Hue: PatchHue.Of(picture, p, options.Patch)))
                .Where(p => p.Hue.Chroma >= ClearChroma).ToLookup(p => p.Hue.Sixth, p => p.Patch);
            if (clear.Count == 0) continue;
            var hue = clear.Select(g => g.Key).Order().ElementAt(random.NextInt(clear.Count));
            shown.Add(picture);
            masks.Add(mask);
            patches.Add(clear[hue].ElementAt(random.NextInt(clear[hue].Count())));
        }
        return new(shown, masks, patches, options.Patch);
    }

    private sealed record Source(IVisionFeatures Features)
    {
        public ProbeFeatures AtPatches(MaskedPictures training, MaskedPictures test)
        {
            float[] Of(MaskedPictures set) => Features.AtPatches(set.Pictures, set.Masks, set.Patches);
            return new(Of(training), Of(test), Features.Width);
        }

        public ProbeFeatures Pooled(IReadOnlyList<RgbImage> training, IReadOnlyList<RgbImage> test) =>
            new(Features.MeanPooled(training), Features.MeanPooled(test), Features.Width);
    }
}
