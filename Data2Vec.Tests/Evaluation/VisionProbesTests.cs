using Data2Vec.Models;
using Data2Vec.Models.Data;
using Data2Vec.Models.Evaluation;
using NUnit.Framework;

namespace Data2Vec.Tests.Evaluation;

public sealed class VisionProbesTests
{
    private static readonly VisionProbeOptions Small = new() { Training = 600, Test = 400 };

    [Test]
    public void The_default_examples_are_enough_and_as_hard_as_the_trials_found_them()
    {
        var probes = new VisionProbes();
        var results = probes.Results([0, 0, 0, 0, 0], [1, 1, 1, 1, 1]);
        Assert.That(results.Select(r => r.Name), Is.EqualTo(probes.Names));
        Assert.That(results[0].Name, Is.EqualTo("hue of the hidden patch"));
        Assert.That(results[0].Examples, Is.GreaterThanOrEqualTo(2000));
        Assert.That(results.Select(r => (r.Random, r.Pretrained)), Is.All.EqualTo((0.0, 1.0)));
        // Trials on pictures of the same kind from another generator: majority 17.7, 49.4 and 65.2, 63.6, 81.0, 24.3 %;
        // the standard error of an accuracy on 2,000 examples is about 1 %.
        double Baseline(int probe, string name) =>
            probes.Baselines.Single(b => b.Probe == probes.Names[probe] && b.Name == name).Accuracy;
        Assert.That(results[0].Majority, Is.EqualTo(1 / 6.0).Within(0.04));
        Assert.That(Baseline(0, "5 x 5 patches"), Is.EqualTo(0.494).Within(0.04));
        Assert.That(Baseline(0, "nearest visible hue"), Is.EqualTo(0.652).Within(0.04));
        Assert.That(Baseline(2, "5 x 5 patches"), Is.EqualTo(0.636).Within(0.04));
        Assert.That(Baseline(3, "pixels"), Is.EqualTo(0.810).Within(0.04));
        Assert.That(Baseline(4, "pixels"), Is.EqualTo(0.243).Within(0.05));
        Assert.That(results[0].SimpleBaseline, Is.EqualTo(Baseline(0, "nearest visible hue")), "the stronger one");
    }

    [Test]
    public void Features_that_know_the_answer_are_right_and_blind_ones_guess()
    {
        var probes = new VisionProbes(Small);
        var knowing = probes.Accuracies(new Knowing(Small));
        Assert.That(knowing[0], Is.GreaterThan(0.95));
        Assert.That(knowing[1], Is.GreaterThan(0.9), "40 labels are enough for features that are the label");
        Assert.That(knowing[2], Is.GreaterThan(0.95));
        Assert.That(knowing[3], Is.GreaterThan(0.95));
        Assert.That(knowing[4], Is.LessThan(0.35), "hue says nothing of the shape");
        var blind = probes.Accuracies(new Blind());
        Assert.That(blind[0], Is.LessThan(0.3));
        Assert.That(blind[2], Is.LessThan(0.5));
        Assert.That(probes.Accuracies(new Knowing(Small)), Is.EqualTo(knowing));
    }

    [Test]
    public void Silhouettes_ask_for_outlines()
    {
        var probes = new VisionProbes(Small with { Kind = PictureKind.Silhouettes });
        Assert.That(probes.Names, Is.EqualTo(new[]
        {
            "silhouettes: hidden patch outside, edge or inside", "silhouettes: pooled shape",
        }));
        Assert.That(probes.Baselines.Select(b => b.Accuracy), Is.All.InRange(0.15, 0.75));
    }

    [Test]
    public void Asked_patches_are_hidden_and_every_place_is_drawn()
    {
        var pictures = ShapePictures.Generate(PictureKind.Textured, 8, 500, 24);
        var set = HiddenPatchSet.Draw(pictures, 4, new BlockMaskConfig(6, 6, 22, 4), 9);
        Assert.That(set.Pictures, Has.Count.EqualTo(500));
        for (var i = 0; i < 500; i++)
        {
            Assert.That(set.Masks[i][set.Patches[i]], Is.True);
            Assert.That(set.Masks[i].Count(m => m), Is.InRange(12, 22));
            Assert.That(set.Pictures[i].PlaceOf(set.Patches[i], 4), Is.EqualTo(set.Places[i]));
        }
        Assert.That(set.Places.CountBy(p => p).Select(c => c.Value), Is.All.GreaterThan(100));
        Assert.That(set.RowsOffTheEdge().All(i => set.Places[i] != PatchPlace.Edge));
    }

    [Test]
    public void The_neighbourhood_shows_visible_patches_only()
    {
        var pictures = ShapePictures.Generate(PictureKind.Textured, 8, 20, 24);
        var set = HiddenPatchSet.Draw(pictures, 4, new BlockMaskConfig(6, 6, 22, 4), 9);
        var before = VisionBaselines.Neighbourhood(set.View, set.View).Training;
        for (var i = 0; i < 20; i++)
            for (var p = 0; p < 36; p++)
                if (set.Masks[i][p])
                    for (var y = 0; y < 4; y++) set.Pictures[i].Image.Row(p / 6 * 4 + y).Slice(p % 6 * 12, 12).Fill(77);
        var after = VisionBaselines.Neighbourhood(set.View, set.View).Training;
        Assert.That(after, Is.EqualTo(before));
        Assert.That(before.Count(v => v != 0), Is.GreaterThan(20 * 48));
    }

    [Test]
    public void The_nearest_visible_hue_is_read_from_the_nearest_visible_patch()
    {
        var image = new RgbImage(8, 8);
        for (var y = 0; y < 8; y++)
            for (var x = 0; x < 8; x++) image.Row(y)[x * 3 + (x < 4 ? 1 : 2)] = 200;
        var mask = new bool[16];
        mask.AsSpan(0, 2).Fill(true);
        var set = new MaskedPictures([image, image], [mask, mask], [0, 1], 2);
        Assert.That(set.NearestHue(0), Is.EqualTo(2), "green, below");
        mask[5] = mask[4] = mask[0] = true;
        Assert.That(set.NearestHue(1), Is.EqualTo(4), "blue, to the right");
        mask.AsSpan().Fill(true);
        Assert.That(set.NearestHue(1), Is.EqualTo(-1));
    }

    [Test]
    public void Impossible_options_are_refused()
    {
        Assert.That(() => new VisionProbes(Small with { Side = 25 }), Throws.ArgumentException);
        Assert.That(() => new VisionProbes(Small with { Mask = new BlockMaskConfig(5, 6, 10, 4) }),
            Throws.ArgumentException);
    }

    [Test]
    public void Probes_without_examples_are_left_out_with_the_reason()
    {
        var probes = new VisionProbes(Small with { Test = 120 });
        Assert.That(probes.Names, Is.EqualTo(new[]
        {
            "hidden patch outside, edge or inside", "pooled hue", "pooled shape",
        }));
        Assert.That(probes.LeftOut, Has.Count.EqualTo(2));
        Assert.That(probes.LeftOut[0], Does.StartWith("hue of the hidden patch: ").And.Contain("to test"));
        var none = new VisionProbes(Small with { Mask = new BlockMaskConfig(6, 6, 0, 4) });
        Assert.That(none.Names, Is.Empty);
        Assert.That(none.LeftOut, Has.Count.EqualTo(5));
    }

    [Test]
    public void Large_pictures_are_shrunk_for_the_baselines()
    {
        var probes = new VisionProbes(new VisionProbeOptions { Side = 96, Patch = 16, Training = 500, Test = 300 });
        var small = new VisionProbes(new VisionProbeOptions { Training = 500, Test = 300 });
        // The same pictures four times as large: what is said of them without an encoder stays about the same.
        Assert.That(probes.Baselines.Select(b => b.Accuracy).Zip(small.Baselines.Select(b => b.Accuracy))
            .Select(p => p.First - p.Second), Is.All.InRange(-0.15, 0.15));
    }

    /// <summary>Reads the truth from the pictures that the probes made.</summary>
    private sealed class Knowing(VisionProbeOptions options) : IVisionFeatures
    {
        private readonly Dictionary<string, ShapePicture> truth = new[]
        {
            (options.Seed, options.Training), (options.Seed + 1, options.Test),
        }.SelectMany(s => ShapePictures.Generate(options.Kind, s.Item1, s.Item2, options.Side))
            .ToDictionary(p => Convert.ToBase64String(p.Image.Pixels));

        public int Width => 12;

        public float[] AtPatches(
            IReadOnlyList<RgbImage> pictures, IReadOnlyList<bool[]> masks, IReadOnlyList<int> patches) =>
            Rows(pictures, (row, picture, i) =>
            {
                Assert.That(masks[i][patches[i]], Is.True);
                var place = picture.PlaceOf(patches[i], options.Patch);
                row[(int)place] = 1;
                row[6 + picture.HueOf(place)] = 1;
            });

        public float[] MeanPooled(IReadOnlyList<RgbImage> pictures) =>
            Rows(pictures, (row, picture, _) => row[picture.Hue] = 1);

        private float[] Rows(IReadOnlyList<RgbImage> pictures, Action<float[], ShapePicture, int> fill) =>
            [.. pictures.SelectMany((image, i) =>
            {
                var row = new float[Width];
                fill(row, truth[Convert.ToBase64String(image.Pixels)], i);
                return row;
            })];
    }

    private sealed class Blind : IVisionFeatures
    {
        public int Width => 3;

        public float[] AtPatches(
            IReadOnlyList<RgbImage> pictures, IReadOnlyList<bool[]> masks, IReadOnlyList<int> patches) =>
            MeanPooled(pictures);

        public float[] MeanPooled(IReadOnlyList<RgbImage> pictures) =>
            [.. Enumerable.Range(0, pictures.Count * 3).Select(i => MathF.Sin(i * 1.7f))];
    }
}
