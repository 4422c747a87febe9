namespace Data2Vec.Models.Evaluation;

/// <summary>The frozen features of an audio encoder, as linear probes read them. Dropout is off.</summary>
/// <remarks>Frame t hears the samples 320 t to 320 t + 399 at 16 kHz: 50 frames a second.</remarks>
public interface IAudioFeatures
{
    /// <summary>Number of features.</summary>
    int Width { get; }

    /// <summary>Frames that the encoder makes of a clip.</summary>
    int Frames(int samples);

    /// <summary>Mean of the last two layers' outputs at some frames.</summary>
    /// <param name="clips">Waveforms at 16 kHz, of zero mean and unit variance.</param>
    /// <param name="masks">For each clip, [frames]; true = hidden from the encoder. Null = nothing is hidden.</param>
    /// <param name="places">Which frames of which clips.</param>
    /// <returns>[places, Width], row-major.</returns>
    float[] AtFrames(
        IReadOnlyList<float[]> clips, IReadOnlyList<bool[]>? masks, IReadOnlyList<(int Clip, int Frame)> places);

    /// <summary>Mean of the last two layers' outputs over all frames of a clip of which nothing is hidden.</summary>
    /// <param name="clips">Waveforms at 16 kHz, of zero mean and unit variance.</param>
    /// <returns>[clips, Width], row-major.</returns>
    float[] MeanPooled(IReadOnlyList<float[]> clips);
}
