using Data2Vec.Kernels;
using Data2Vec.Models.Data;

namespace Data2Vec.Models.Evaluation;

/// <summary>Clips with masks, and the frames of them that a probe asks for.</summary>
/// <param name="Clips">What is known of them.</param>
/// <param name="Waves">Their samples, of zero mean and unit variance.</param>
/// <param name="Masks">Hidden frames of each.</param>
/// <param name="Hidden">Hidden frames in which somebody speaks.</param>
/// <param name="Visible">Frames in which somebody speaks, hidden above or not.</param>
internal sealed record SpeechFrameSet(
    IReadOnlyList<SpeechClip> Clips, IReadOnlyList<float[]> Waves, IReadOnlyList<bool[]> Masks,
    (int Clip, int Frame)[] Hidden, (int Clip, int Frame)[] Visible)
{
    /// <summary>Samples from one frame to the next, and of one frame, in the published encoder.</summary>
    public const int Hop = 320;
    public const int Window = 400;

    /// <summary>Frames of a clip.</summary>
    public static int Frames(int samples) => samples < Window ? 0 : (samples - Window) / Hop + 1;

    /// <summary>Draws masks and frames.</summary>
    /// <param name="clips">The clips.</param>
    /// <param name="mask">How frames are hidden.</param>
    /// <param name="most">Frames of each kind at most.</param>
    /// <param name="key">Where draws come from.</param>
    public static SpeechFrameSet Draw(IReadOnlyList<SpeechClip> clips, SpanMaskConfig mask, int most, RandomKey key)
    {
        var random = new PhiloxStream(key);
        // A row by itself has nothing to be made equal to.
        var alone = mask with { Equalise = SpanEqualisation.None };
        var masks = clips.Select(c => AudioMasker.Mask(1, Frames(c.Samples.Length), alone, random)).ToArray();
        var speech = new List<(int Clip, int Frame)>();
        for (var c = 0; c < clips.Count; c++)
            for (var t = 0; t < masks[c].Length; t++)
                if (PhoneAt(clips[c], t) != DigitPhones.Silence) speech.Add((c, t));
        return new SpeechFrameSet(clips, [.. clips.Select(Normalised)], masks,
            Chosen([.. speech.Where(p => masks[p.Clip][p.Frame])], most, random), Chosen([.. speech], most, random));
    }

    /// <summary>The phone in the middle of each frame, counted without silence.</summary>
    public int[] Phones((int Clip, int Frame)[] places) =>
        [.. places.Select(p => PhoneAt(Clips[p.Clip], p.Frame) - 1)];

    private static int PhoneAt(SpeechClip clip, int frame) => clip.PhoneAt(frame * Hop + Window / 2);

    private static (int, int)[] Chosen((int Clip, int Frame)[] places, int most, PhiloxStream random)
    {
        random.Shuffle<(int, int)>(places);
        return places.Length > most ? places[..most] : places;
    }

    private static float[] Normalised(SpeechClip clip)
    {
        var wave = (float[])clip.Samples.Clone();
        AudioFeatureExtractor.Normalise(wave);
        return wave;
    }
}
