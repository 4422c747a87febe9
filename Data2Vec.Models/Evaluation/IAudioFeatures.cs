namespace Data2Vec.Models.Evaluation;

/// <summary>The frozen features of an audio encoder, as linear probes read them. All dropout is off.</summary>
public interface IAudioFeatures
{
    /// <summary>Number of features.</summary>
    int Width { get; }

    /// <summary>The mean of the last two layers' outputs at some frames.</summary>
    /// <param name="clips">Waveforms of zero mean and unit variance at 16 kHz.</param>
    /// <param name="masks">For each, [frames]; true = hidden from the encoder. Null = nothing is hidden.</param>
    /// <param name="places">Which frames, by the number of the clip and the number of the frame in it.</param>
    /// <returns>[places, Width], row-major.</returns>
    float[] AtFrames(
        IReadOnlyList<float[]> clips, IReadOnlyList<bool[]>? masks, IReadOnlyList<(int Clip, int Frame)> places);

    /// <summary>The same outputs averaged over all frames of a clip of which nothing is hidden.</summary>
    /// <param name="clips">Waveforms of zero mean and unit variance at 16 kHz.</param>
    /// <returns>[clips, Width], row-major.</returns>
    float[] MeanPooled(IReadOnlyList<float[]> clips);

    /// <summary>Frames that a waveform of so many samples becomes.</summary>
    int Frames(int samples);
}
