using Data2Vec.Models;
using Data2Vec.Models.Data;
using Data2Vec.Models.Evaluation;
using NUnit.Framework;

namespace Data2Vec.Tests.Evaluation;

public sealed class PictureFileProbesTests
{
    private static readonly PictureFileProbeOptions Options = new()
    {
        Patch = 4, Mask = new BlockMaskConfig(6, 6, 22, 4), Classes = ["warm", "cold"], TrainingPatches = 600,
        TestPatches = 400,
    };

    private static readonly ProbePictures Training = Drawn(8, 600);
    private static readonly ProbePictures Test = Drawn(9, 200);

    [Test]
    public void Hidden_hues_and_classes_are_asked_beside_what_needs_no_encoder()
    {
        var probes = new PictureFileProbes(Training, Test, Options);
        Assert.That(probes.Names, Is.EqualTo(new[] { "hue of the hidden patch", "class of the picture, pooled" }));
        Assert.That(probes.LeftOut, Is.Empty);
        var results = probes.Results([0.1, 0.2], [0.3, 0.4]);
        Assert.That(results.Select(r => (r.Random, r.Pretrained)), Is.EqualTo(new[] { (0.1, 0.3), (0.2, 0.4) }));
        Assert.That(results[0].Examples, Is.InRange(300, 400), "every picture is asked about twice");
        Assert.That(results[0].Majority, Is.InRange(0.1, 0.3));
        Assert.That(results[1].Examples, Is.EqualTo(200));
        Assert.That(results[1].SimpleBaselineName, Is.EqualTo("pixels"));
        var strongest = probes.Baselines.Where(b => b.Probe == probes.Names[0]).MaxBy(b => b.Accuracy)!;
        Assert.That((results[0].SimpleBaseline, results[0].SimpleBaselineName),
            Is.EqualTo((strongest.Accuracy, strongest.Name)));
        Assert.That(probes.Baselines.Select(b => b.Name), Is.EqualTo(new[]
        {
            "nearest visible hue", "nearest visible clear hue", "5 x 5 patches", "pixels",
        }));
        // In pictures of one object and one ground the hue beside a patch is often its own.
        Assert.That(strongest.Accuracy, Is.InRange(results[0].Majority + 0.2, 0.9));
    }

    [Test]
    public void Features_that_know_the_answer_are_right_and_blind_ones_guess()
    {
        var probes = new PictureFileProbes(Training, Test, Options);
        Assert.That(probes.Accuracies(new Seeing(true)), Is.All.GreaterThan(0.95));
        var blind = probes.Accuracies(new Seeing(false));
        Assert.That(blind[0], Is.LessThan(0.35));
        Assert.That(blind[1], Is.InRange(0.35, 0.65));
    }

    [Test]
    public void Grey_pictures_have_no_hue_and_one_folder_no_classes()
    {
        var grey = Enumerable.Range(0, 150).Select(i =>
        {
            var image = new RgbImage(24, 24);
            // 20 levels of red above the rest are a tint, and no clear hue.
            for (var b = 0; b < image.Pixels.Length; b++) image.Pixels[b] = (byte)(i + (b % 3 == 0 ? 20 : 0));
            return image;
        }).ToArray();
        var probes = new PictureFileProbes(
            new(grey, new int[150]), new(grey, new int[150]), Options with { Classes = ["all"] });
        Assert.That(probes.Names, Is.Empty);
        Assert.That(probes.LeftOut, Has.Count.EqualTo(2));
        Assert.That(probes.LeftOut[0], Is.EqualTo(
            "hue of the hidden patch: 0 examples to fit and 0 to test, 100 and 100 are needed"));
        Assert.That(probes.LeftOut[1], Does.StartWith("class of the picture, pooled: ").And.Contain("folders"));
        var none = new PictureFileProbes(new([], []), Test, Options);
        Assert.That(none.LeftOut.Single(), Does.Contain("0 pictures to fit and 200 held-out"));
    }

    [TestCase(200, 100, 50, 0)]
    [TestCase(200, 180, 50, 0)]
    [TestCase(150, 180, 50, 1)]
    [TestCase(40, 180, 50, 2)]
    [TestCase(50, 150, 200, 3)]
    [TestCase(100, 50, 200, 4)]
    [TestCase(200, 50, 199, 5)]
    [TestCase(100, 100, 100, -1)]
    public void The_hue_of_a_patch_is_that_of_its_mean_colour(int red, int green, int blue, int sixth)
    {
        var image = new RgbImage(8, 4);
        // The right patch alternates around the mean, the left one is green.
        for (var y = 0; y < 4; y++)
            for (var x = 0; x < 8; x++)
            {
                var around = (x + y) % 2 == 0 ? 40 : -40;
                byte[] right = [(byte)(red + around), (byte)(green + around), (byte)(blue + around)];
                byte[] colour = x < 4 ? [0, 255, 0] : right;
                colour.CopyTo(image.Row(y)[(x * 3)..]);
            }
        int[] levels = [red, green, blue];
        Assert.That(PatchHue.Of(image, 1, 4), Is.EqualTo(new PatchHue(sixth, levels.Max() - levels.Min())));
        Assert.That(PatchHue.Of(image, 0, 4), Is.EqualTo(new PatchHue(2, 255)));
    }

    [Test]
    public void The_nearest_hue_passes_over_weak_ones()
    {
        var image = new RgbImage(6, 2);
        for (var y = 0; y < 2; y++)
            for (var x = 0; x < 6; x++)
            {
                byte[] colour = x < 2 ? [0, 0, 200] : x < 4 ? [110, 100, 100] : [9, 9, 9];
                colour.CopyTo(image.Row(y)[(x * 3)..]);
            }
        var set = new MaskedPictures([image], [[false, false, true]], [2], 2);
        Assert.That(set.NearestHue(0), Is.Zero, "a tint of red");
        Assert.That(set.NearestHue(0, 32), Is.EqualTo(4), "blue, farther away");
        Assert.That(set.NearestHue(0, 201), Is.EqualTo(-1));
    }

    /// <summary>Generated pictures; those whose object is red, yellow or magenta are the warm ones.</summary>
    private static ProbePictures Drawn(ulong seed, int count)
    {
        var drawn = ShapePictures.Generate(PictureKind.Textured, seed, count, 24);
        return new([.. drawn.Select(d => d.Image)], [.. drawn.Select(d => d.Hue is 0 or 1 or 5 ? 0 : 1)]);
    }

    /// <summary>Knows the pictures by their pixels, or nothing.</summary>
    private sealed class Seeing(bool sees) : IVisionFeatures
    {
        private readonly Dictionary<string, int> classes = new[] { Training, Test }
            .SelectMany(set => set.Pictures.Zip(set.Labels)).ToDictionary(p => Key(p.First), p => p.Second);

        public int Width => 7;

        public float[] AtPatches(
            IReadOnlyList<RgbImage> pictures, IReadOnlyList<bool[]> masks, IReadOnlyList<int> patches) =>
            Rows(pictures.Count, i =>
            {
                Assert.That(masks[i][patches[i]], Is.True, "what is asked about is hidden");
                return PatchHue.Of(pictures[i], patches[i], 4).Sixth;
            });

        public float[] MeanPooled(IReadOnlyList<RgbImage> pictures) =>
            Rows(pictures.Count, i => classes[Key(pictures[i])]);

        private static string Key(RgbImage image) => Convert.ToBase64String(image.Pixels);

        private float[] Rows(int count, Func<int, int> answer)
        {
            var rows = new float[count * Width];
            for (var i = 0; i < count; i++)
            {
                rows[i * Width + 6] = MathF.Sin(i * 1.7f);
                var known = answer(i);
                if (sees) rows[i * Width + known] = 1;
            }
            return rows;
        }
    }
}
