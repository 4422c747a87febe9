using Data2Vec.Kernels;
using Data2Vec.Models.Data;

namespace Data2Vec.Models.Evaluation;

/// <summary>Clips as encoders hear them, with masks and the frames that probes ask about.</summary>
internal sealed class SpeechFrames
{
    /// <summary>Frames of a clip: windows of 25 ms every 20 ms, as the published encoders cut them.</summary>
    public const int Count = 1 + (SpeechClip.Length - Window) / Shift;

    private const int Window = 400;
    private const int Shift = 320;
    private const uint MaskSite = 0x4153_504D;
    private const uint HiddenSite = 0x4153_5048;
    private const uint SpokenSite = 0x4153_5053;

    /// <summary>Draws masks, one a clip, and then the frames.</summary>
    /// <param name="clips">Generated clips.</param>
    /// <param name="mask">How frames are hidden.</param>
    /// <param name="most">At most so many frames for each of both questions.</param>
    /// <param name="seed">Seed of the draws.</param>
    public SpeechFrames(IReadOnlyList<SpeechClip> clips, SpanMaskConfig mask, int most, ulong seed)
    {
        Clips = clips;
        Waves = [.. clips.Select(c =>
        {
            var wave = (float[])c.Samples.Clone();
            AudioFeatureExtractor.Normalise(wave);
            return wave;
        })];
        Masks = [.. clips.Select((_, i) =>
            AudioMasker.Mask(1, Count, mask, new PhiloxStream(new RandomKey(seed, (uint)i, 0, MaskSite))))];
        var spoken = Enumerable.Range(0, clips.Count * Count)
            .Select(p => (Clip: p / Count, Frame: p % Count)).Where(p => Phone(p) != 0).ToArray();
        Hidden = Chosen([.. spoken.Where(p => Masks[p.Clip][p.Frame])], most, new RandomKey(seed, 0, 0, HiddenSite));
        Spoken = Chosen(spoken, most, new RandomKey(seed, 0, 0, SpokenSite));
    }

    /// <summary>The clips.</summary>
    public IReadOnlyList<SpeechClip> Clips { get; }

    /// <summary>Their waveforms, normalised.</summary>
    public IReadOnlyList<float[]> Waves { get; }

    /// <summary>For each clip, [frames]; true = hidden.</summary>
    public IReadOnlyList<bool[]> Masks { get; }

    /// <summary>Some hidden frames in which a sound is made.</summary>
    public IReadOnlyList<(int Clip, int Frame)> Hidden { get; }

    /// <summary>Some frames in which a sound is made, whether the masks hide them or not.</summary>
    public IReadOnlyList<(int Clip, int Frame)> Spoken { get; }

    /// <summary>The sound in the middle of each frame's window, counted from 0 without silence.</summary>
    public int[] Phones(IReadOnlyList<(int Clip, int Frame)> places) => [.. places.Select(p => Phone(p) - 1)];

    private byte Phone((int Clip, int Frame) place) =>
        Clips[place.Clip].Labels[(place.Frame * Shift + Window / 2) / SpeechClip.BlockLength];

    /// <summary>A random choice, in the order of the clips.</summary>
    private static (int Clip, int Frame)[] Chosen((int Clip, int Frame)[] places, int most, RandomKey key)
    {
        var chosen = new PhiloxStream(key).SampleWithoutReplacement(places.Length, Math.Min(most, places.Length));
        return [.. chosen.Order().Select(i => places[i])];
    }
}
