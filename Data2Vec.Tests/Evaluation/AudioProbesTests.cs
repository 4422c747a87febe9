using Data2Vec.Models;
using Data2Vec.Models.Data;
using Data2Vec.Models.Evaluation;
using Data2Vec.Tests.Masks;
using NUnit.Framework;

namespace Data2Vec.Tests.Evaluation;

public sealed class AudioProbesTests
{
    private static readonly DigitSpeech Speech = DigitSpeech.Generate(5, 120, 240);
    private static readonly AudioProbeOptions Small = new() { TrainingFrames = 2000, TestFrames = 1500 };
    private static readonly AudioProbes Probes = new(Speech, Small);

    [Test]
    public void Baselines_are_about_as_strong_as_the_trials_found_them()
    {
        var results = Probes.Results([0, 0, 0, 0], [1, 1, 1, 1]);
        Assert.That(results.Select(r => r.Name), Is.EqualTo(new[]
        {
            "masked frame to phone", "visible frame to phone", "number of digits, pooled", "voice, pooled",
        }));
        Assert.That(Probes.Names, Is.EqualTo(results.Select(r => r.Name)));
        Assert.That(Probes.LeftOut, Is.Empty);
        Assert.That(results.Select(r => (r.Random, r.Pretrained)), Is.All.EqualTo((0.0, 1.0)));
        Assert.That(results.Select(r => r.Examples), Is.EqualTo(new[] { 1500, 1500, 240, 120 }));
        // Another generator of the same design, five times the frames: 33.0, 72.4 and with neighbours 90.5, 86.1 %.
        Assert.That(results[0].Majority, Is.InRange(0.07, 0.15));
        Assert.That(results[0].SimpleBaseline, Is.InRange(results[0].Majority + 0.08, 0.42));
        Assert.That(results[0].SimpleBaselineName, Is.EqualTo("log-mel of the nearest visible frames"));
        var oneFrame = Probes.Baselines.Single(b => b.Name == "log-mel of the frame").Accuracy;
        Assert.That(oneFrame, Is.InRange(0.6, 0.82));
        Assert.That(results[1].SimpleBaselineName, Is.EqualTo("log-mel of five frames"), "the stronger one");
        Assert.That(results[1].SimpleBaseline, Is.GreaterThan(oneFrame + 0.05));
        Assert.That(results[3].SimpleBaseline, Is.InRange(0.6, 1));
    }

    [Test]
    public void Features_that_know_the_answer_are_right_and_blind_ones_guess()
    {
        var knowing = Probes.Accuracies(new Knowing(Speech));
        Assert.That(knowing, Is.All.GreaterThan(0.97));
        Assert.That(Probes.Accuracies(new Knowing(Speech)), Is.EqualTo(knowing));
        var blind = Probes.Accuracies(new Blind());
        Assert.That(blind[0], Is.LessThan(0.18));
        Assert.That(blind[1], Is.LessThan(0.18));
        Assert.That(blind[3], Is.LessThan(0.25));
    }

    [Test]
    public void Asked_frames_are_hidden_spoken_and_never_the_same_twice()
    {
        var frames = new SpeechFrames(Speech.HeldOut, new SpanMaskConfig(0.6, 5), 1000, 7);
        Assert.That(frames.Hidden, Has.Count.EqualTo(1000).And.Unique);
        Assert.That(frames.Hidden.All(p => frames.Masks[p.Clip][p.Frame]));
        Assert.That(frames.Spoken, Has.Count.EqualTo(1000).And.Unique);
        Assert.That(frames.Spoken.Any(p => !frames.Masks[p.Clip][p.Frame]));
        Assert.That(frames.Phones(frames.Hidden), Is.All.InRange(0, 18));
        // The middle of the window of frame t is sample 320 t + 200: in block 4 t + 2 of 5 ms.
        Assert.That(frames.Phones(frames.Hidden), Is.EqualTo(frames.Hidden.Select(
            p => Speech.HeldOut[p.Clip].Labels[4 * p.Frame + 2] - 1)));
        // A clip is a draw: the mean of so many lies within four standard errors.
        var (mean, deviation) = SpanCounts.Of(SpeechFrames.Count, new SpanMaskConfig(0.6, 5));
        Assert.That(frames.Masks.Average(m => m.Count(h => h)),
            Is.EqualTo(mean).Within(4 * deviation / Math.Sqrt(frames.Masks.Count)));
        Assert.That(frames.Waves[0].Average(x => (double)x * x), Is.EqualTo(1).Within(1e-4));
        var again = new SpeechFrames(Speech.HeldOut, new SpanMaskConfig(0.6, 5), 1000, 7);
        Assert.That(again.Hidden, Is.EqualTo(frames.Hidden));
    }

    [Test]
    public void The_baseline_of_a_hidden_frame_looks_at_the_nearest_visible_frames()
    {
        var frames = new SpeechFrames([.. Speech.HeldOut.Take(20)], new SpanMaskConfig(0.6, 5), 200, 7);
        var bands = new AudioBaselines(frames);
        var features = bands.Neighbours();
        for (var i = 0; i < frames.Hidden.Count; i++)
        {
            var (clip, frame) = frames.Hidden[i];
            var visible = Enumerable.Range(0, 124).Where(t => !frames.Masks[clip][t]).ToList();
            var left = visible.Where(t => t < frame).DefaultIfEmpty(visible[0]).Last();
            var right = visible.Where(t => t > frame).DefaultIfEmpty(left).First();
            var row = features.AsSpan(i * 112, 112);
            Assert.That(row[80..96].IndexOf(1f), Is.EqualTo(Math.Min(15, Math.Abs(frame - left))));
            Assert.That(row[96..].IndexOf(1f), Is.EqualTo(Math.Min(15, Math.Abs(right - frame))));
            Assert.That(row[80..].ToArray().Sum(), Is.EqualTo(2));
            Assert.That(row[..40].ToArray(), Is.EqualTo(Mel(frames.Waves[clip], left)).AsCollection.Within(1e-4));
            Assert.That(row[40..80].ToArray(), Is.EqualTo(Mel(frames.Waves[clip], right)).AsCollection.Within(1e-4));
        }
    }

    [Test]
    public void Probes_without_examples_are_left_out_with_the_reason()
    {
        var probes = new AudioProbes(Speech, Small with { HeldOutClips = 110 });
        Assert.That(probes.Names, Does.Contain("number of digits, pooled"));
        Assert.That(probes.LeftOut, Has.Count.EqualTo(1));
        Assert.That(probes.LeftOut[0], Is.EqualTo(
            "voice, pooled: 60 examples to fit and 50 to test, 100 and 100 are needed"));
        var none = new AudioProbes(Speech, Small with { Mask = new SpanMaskConfig(0, 5, 0) });
        Assert.That(none.LeftOut.Single(), Does.StartWith("masked frame to phone: 0 examples"));
        Assert.That(none.Names[0], Is.EqualTo("visible frame to phone"));
    }

    [Test]
    public void Encoders_with_other_frames_and_impossible_counts_are_refused()
    {
        Assert.That(() => Probes.Accuracies(new Blind(125)),
            Throws.ArgumentException.With.Message.Contains("125 frames; expected 124"));
        Assert.That(() => new AudioProbes(Speech, Small with { TestFrames = -1 }), Throws.ArgumentException);
    }

    /// <summary>The same analysis of one frame's samples alone.</summary>
    private static float[] Mel(float[] wave, int frame) =>
        Array.ConvertAll(KaldiFeatures.FilterBank(wave.AsSpan(frame * 320, 400), new KaldiOptions
        {
            MelBins = 40, Window = FrameWindow.Hanning, LowFrequency = 50, Preemphasis = 0, RemoveOffset = false,
        }).Values, v => (float)v);

    /// <summary>Reads the truth from the clips, which it knows by their waveforms.</summary>
    private sealed class Knowing(DigitSpeech speech) : IAudioFeatures
    {
        private readonly Dictionary<(float, float, float), SpeechClip> truth = speech.Training.Concat(speech.HeldOut)
            .ToDictionary(c =>
            {
                var wave = (float[])c.Samples.Clone();
                AudioFeatureExtractor.Normalise(wave);
                return Key(wave);
            });

        public int Width => 72;

        public int Frames(int samples) => 1 + (samples - 400) / 320;

        public float[] AtFrames(
            IReadOnlyList<float[]> clips, IReadOnlyList<bool[]>? masks, IReadOnlyList<(int Clip, int Frame)> places)
        {
            Assert.That(masks is null || masks.Count == clips.Count);
            var rows = new float[places.Count * Width];
            for (var i = 0; i < places.Count; i++)
            {
                var (clip, frame) = places[i];
                Assert.That(masks?[clip][frame], Is.Not.False, "what is asked about is hidden");
                rows[i * Width + truth[Key(clips[clip])].Labels[(320 * frame + 200) / 80]] = 1;
            }
            return rows;
        }

        public float[] MeanPooled(IReadOnlyList<float[]> clips)
        {
            var rows = new float[clips.Count * Width];
            for (var i = 0; i < clips.Count; i++)
            {
                rows[i * Width + truth[Key(clips[i])].Voice] = 1;
                rows[i * Width + 60 + truth[Key(clips[i])].Digits] = 1;
            }
            return rows;
        }

        private static (float, float, float) Key(float[] wave) => (wave[9000], wave[20000], wave[31000]);
    }

    private sealed class Blind(int frames = 124) : IAudioFeatures
    {
        public int Width => 3;

        public int Frames(int samples) => frames;

        public float[] AtFrames(
            IReadOnlyList<float[]> clips, IReadOnlyList<bool[]>? masks, IReadOnlyList<(int Clip, int Frame)> places) =>
            Rows(places.Count);

        public float[] MeanPooled(IReadOnlyList<float[]> clips) => Rows(clips.Count);

        private float[] Rows(int count) =>
            [.. Enumerable.Range(0, count * Width).Select(i => MathF.Sin(i * 1.7f))];
    }
}
