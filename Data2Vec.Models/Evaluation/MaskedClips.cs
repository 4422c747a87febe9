using Data2Vec.Kernels;
using Data2Vec.Models.Data;

namespace Data2Vec.Models.Evaluation;

/// <summary>Clips of one length as encoders hear them, with masks and the frames that probes ask about.</summary>
internal class MaskedClips
{
    /// <summary>Frames of a clip: windows of 25 ms every 20 ms, as the published encoders cut them.</summary>
    public const int Count = 1 + (SpeechClip.Length - Window) / Shift;

    private protected const int Window = 400;
    private protected const int Shift = 320;
    private const uint MaskSite = 0x4153_504D;
    private const uint HiddenSite = 0x4153_5048;
    private const uint SpokenSite = 0x4153_5053;

    /// <summary>Draws masks, one a clip, and then the frames.</summary>
    /// <param name="waves">Waveforms of <see cref="SpeechClip.Length"/> samples, normalised.</param>
    /// <param name="mask">How frames are hidden.</param>
    /// <param name="most">At most so many frames for each of both questions.</param>
    /// <param name="seed">Seed of the draws.</param>
    /// <param name="speaks">True for a frame in which there is something to ask about.</param>
    public MaskedClips(
        IReadOnlyList<float[]> waves, SpanMaskConfig mask, int most, ulong seed, Func<int, int, bool> speaks)
    {
        Waves = waves;
        Masks = [.. waves.Select((_, i) =>
            AudioMasker.Mask(1, Count, mask, new PhiloxStream(new RandomKey(seed, (uint)i, 0, MaskSite))))];
        var spoken = Enumerable.Range(0, waves.Count * Count)
            .Select(p => (Clip: p / Count, Frame: p % Count)).Where(p => speaks(p.Clip, p.Frame)).ToArray();
        Hidden = Chosen([.. spoken.Where(p => Masks[p.Clip][p.Frame])], most, new RandomKey(seed, 0, 0, HiddenSite));
        Spoken = Chosen(spoken, most, new RandomKey(seed, 0, 0, SpokenSite));
    }

    /// <summary>The waveforms.</summary>
    public IReadOnlyList<float[]> Waves { get; }

    /// <summary>For each clip, [frames]; true = hidden.</summary>
    public IReadOnlyList<bool[]> Masks { get; }

    /// <summary>Some hidden frames in which a sound is made.</summary>
    public IReadOnlyList<(int Clip, int Frame)> Hidden { get; }

    /// <summary>Some frames in which a sound is made, whether the masks hide them or not.</summary>
    public IReadOnlyList<(int Clip, int Frame)> Spoken { get; }

    /// <summary>A random choice, in the order of the clips.</summary>
    private static (int Clip, int Frame)[] Chosen((int Clip, int Frame)[] places, int most, RandomKey key)
    {
        var chosen = new PhiloxStream(key).SampleWithoutReplacement(places.Length, Math.Min(most, places.Length));
        return [.. chosen.Order().Select(i => places[i])];
    }
}
