using Data2Vec.Models.Data;

namespace Data2Vec.Models.Evaluation;

/// <summary>Generated clips: of each frame the sound is known that is made in it.</summary>
internal sealed class SpeechFrames : MaskedClips
{
    /// <summary>Draws masks, one a clip, and then the frames.</summary>
    /// <param name="clips">Generated clips.</param>
    /// <param name="mask">How frames are hidden.</param>
    /// <param name="most">At most so many frames for each of both questions.</param>
    /// <param name="seed">Seed of the draws.</param>
    public SpeechFrames(IReadOnlyList<SpeechClip> clips, SpanMaskConfig mask, int most, ulong seed)
        : base([.. clips.Select(Wave)], mask, most, seed, (clip, frame) => Phone(clips[clip], frame) != 0) =>
        Clips = clips;

    /// <summary>The clips.</summary>
    public IReadOnlyList<SpeechClip> Clips { get; }

    /// <summary>The sound in the middle of each frame's window, counted from 0 without silence.</summary>
    public int[] Phones(IReadOnlyList<(int Clip, int Frame)> places) =>
        [.. places.Select(p => Phone(Clips[p.Clip], p.Frame) - 1)];

    private static byte Phone(SpeechClip clip, int frame) =>
        clip.Labels[(frame * Shift + Window / 2) / SpeechClip.BlockLength];

    private static float[] Wave(SpeechClip clip)
    {
        var wave = (float[])clip.Samples.Clone();
        AudioFeatureExtractor.Normalise(wave);
        return wave;
    }
}
