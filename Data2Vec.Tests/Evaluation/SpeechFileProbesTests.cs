using Data2Vec.Models;
using Data2Vec.Models.Data;
using Data2Vec.Models.Evaluation;
using NUnit.Framework;

namespace Data2Vec.Tests.Evaluation;

public sealed class SpeechFileProbesTests
{
    private const string Band = "loudest band of the hidden frame";

    private static readonly AudioProbeOptions Options = new() { TrainingFrames = 2000, TestFrames = 1500 };
    private static readonly DigitSpeech Speech = DigitSpeech.Generate(5, 240, 240);
    private static readonly ProbeClip[] Training = Clips(Speech.Training);
    private static readonly ProbeClip[] HeldOut = Clips(Speech.HeldOut);

    [Test]
    public void Hidden_bands_and_held_out_speakers_are_asked_beside_what_needs_no_encoder()
    {
        var probes = new SpeechFileProbes(Training, HeldOut, () => throw new AssertionException("not needed"), Options);
        Assert.That(probes.Names, Is.EqualTo(new[] { Band, "speaker held out, pooled" }));
        var results = probes.Results([0.1, 0.2], [0.3, 0.4]);
        Assert.That(results[0].Examples, Is.EqualTo(1500));
        Assert.That(results[1].Examples, Is.InRange(100, 140), "about half of 240 clips");
        Assert.That(results[0].Majority, Is.InRange(1 / 8.0, 0.35));
        Assert.That(results[0].SimpleBaseline, Is.InRange(results[0].Majority + 0.05, 0.7));
        Assert.That(results[1].SimpleBaseline, Is.GreaterThan(0.6));
        Assert.That(results.Select(r => (r.Random, r.Pretrained)), Is.EqualTo(new[] { (0.1, 0.3), (0.2, 0.4) }));
        Assert.That(probes.Baselines.Select(b => b.Name), Is.EqualTo(new[]
        {
            "log-mel of the nearest visible frames", "the same of the nearest visible frame",
            "log-mel mean and deviation",
        }));
    }

    [Test]
    public void Features_that_know_the_answer_are_right_and_blind_ones_guess()
    {
        var probes = new SpeechFileProbes(Training, HeldOut, () => throw new AssertionException("not needed"), Options);
        Assert.That(probes.Accuracies(new Features(true)), Is.All.GreaterThan(0.9));
        var blind = probes.Accuracies(new Features(false));
        Assert.That(blind[0], Is.LessThan(probes.Results(blind, blind)[0].Majority + 0.08));
        Assert.That(blind[1], Is.LessThan(0.25));
    }

    [Test]
    public void Few_held_out_speakers_are_joined_by_those_of_training()
    {
        var few = HeldOut.Take(60).ToArray();
        var probes = new SpeechFileProbes([.. Training.Take(60)], few, () => [.. Training, .. few], Options);
        Assert.That(probes.Names, Does.Contain("speaker, pooled"));
        Assert.That(probes.Results([0, 0], [0, 0])[1].Examples, Is.InRange(100, 300));
    }

    [Test]
    public void Clips_without_speakers_and_data_without_clips_are_named_with_the_reason()
    {
        var unknown = Training.Select(c => c with { Speaker = null }).ToArray();
        var probes = new SpeechFileProbes(unknown, unknown, () => unknown, Options);
        Assert.That(probes.Names, Is.EqualTo(new[] { Band }));
        Assert.That(probes.LeftOut.Single(), Does.StartWith("speaker, pooled: there are not two speakers"));
        var none = new SpeechFileProbes(Training, [], () => Training, Options);
        Assert.That(none.LeftOut.Single(), Does.StartWith(Band).And.Contain("0 held-out ones that last 2.5 s"));
        Assert.That(none.Names, Is.EqualTo(new[] { "speaker, pooled" }));
        Assert.That(() => new SpeechFileProbes([new("short", new float[9], null)], []),
            Throws.ArgumentException.With.Message.Contains("short has 9 samples; expected 40000"));
    }

    [Test]
    public void The_loudest_band_is_the_one_that_rises_above_what_is_usual()
    {
        // Band 0 is always louder; in frames 0, 1 band 3 rises, in frame 2 nothing does, frame 3 is silent.
        double[] values = new double[4 * 40];
        for (var t = 0; t < 3; t++) values.AsSpan(t * 40, 5).Fill(10);
        for (var t = 0; t < 2; t++) values.AsSpan(t * 40 + 15, 5).Fill(5 + t);
        values.AsSpan(120, 40).Fill(-20);
        var bands = new LoudestBands([new FrameFeatures(values, 40)]);
        Assert.That(Enumerable.Range(0, 4).Select(t => bands.IsLoud(0, t)),
            Is.EqualTo(new[] { false, true, false, false }), "above the median of the clip");
        var usual = new LoudestBands([new FrameFeatures(new double[40], 40)], bands);
        Assert.That(usual.Of(0, 0), Is.Not.Zero, "band 0 is quiet where it usually is loud");
        values.AsSpan(80 + 35, 5).Fill(3);
        Assert.That(new LoudestBands([new FrameFeatures(values, 40)], bands).Of(0, 2), Is.EqualTo(7));
    }

    private static ProbeClip[] Clips(IEnumerable<SpeechClip> clips) => [.. clips.Select(c =>
    {
        var wave = (float[])c.Samples.Clone();
        AudioFeatureExtractor.Normalise(wave);
        // Eight speakers of thirty clips each instead of the 40 voices of training.
        return new ProbeClip(c.Name, wave, $"voice {(c.Voice < DigitSpeech.TrainingVoices ? c.Voice % 8 : c.Voice)}");
    })];

    /// <summary>Hears the frame itself though it is hidden, and knows the voices; or nothing.</summary>
    private sealed class Features(bool hears) : IAudioFeatures
    {
        private readonly Dictionary<float[], int> voices = Training.Concat(HeldOut)
            .ToDictionary(c => c.Wave, c => int.Parse(c.Speaker![6..]));

        public int Width => 72;

        public int Frames(int samples) => 1 + (samples - 400) / 320;

        public float[] AtFrames(
            IReadOnlyList<float[]> clips, IReadOnlyList<bool[]>? masks, IReadOnlyList<(int Clip, int Frame)> places)
        {
            var bands = new LoudestBands(AudioBaselines.Analyse(clips), Usual.Value);
            var rows = new float[places.Count * Width];
            for (var i = 0; i < places.Count; i++)
            {
                Assert.That(masks![places[i].Clip][places[i].Frame], Is.True, "what is asked about is hidden");
                rows[i * Width + 71] = MathF.Sin(i * 1.7f);
                if (hears) rows[i * Width + bands.Of(places[i].Clip, places[i].Frame)] = 1;
            }
            return rows;
        }

        public float[] MeanPooled(IReadOnlyList<float[]> clips)
        {
            var rows = new float[clips.Count * Width];
            for (var i = 0; i < clips.Count; i++)
            {
                rows[i * Width + 71] = MathF.Sin(i * 1.7f);
                if (hears) rows[i * Width + voices[clips[i]]] = 1;
            }
            return rows;
        }

        private static readonly Lazy<LoudestBands> Usual =
            new(() => new LoudestBands(AudioBaselines.Analyse([.. Training.Select(c => c.Wave)])));
    }
}
