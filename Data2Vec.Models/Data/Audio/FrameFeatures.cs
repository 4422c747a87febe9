namespace Data2Vec.Models.Data;

/// <summary>Features of successive short stretches of a waveform.</summary>
/// <param name="Values">[frames, width], row-major.</param>
/// <param name="Width">Features of a frame.</param>
public sealed record FrameFeatures(double[] Values, int Width)
{
    /// <summary>Number of frames.</summary>
    public int Frames => Values.Length / Width;

    /// <summary>The features of a frame.</summary>
    public ReadOnlySpan<double> Row(int frame) => Values.AsSpan(frame * Width, Width);

    /// <summary>
    /// Adds the slope of every feature and the slope of that: [frames, 3 width], static first. The slope is
    /// (sum over n = 1, 2 of n (c[t+n] - c[t-n])) / 10, the first and the last frame repeated beyond the ends.
    /// </summary>
    /// <remarks>Young et al., The HTK Book 3.4, section 5.9; HuBERT clusters these (Hsu et al. 2021).</remarks>
    public FrameFeatures WithDeltas()
    {
        var first = Slopes();
        var second = first.Slopes();
        var values = new double[3 * Values.Length];
        for (var t = 0; t < Frames; t++)
        {
            var row = values.AsSpan(t * 3 * Width);
            Row(t).CopyTo(row);
            first.Row(t).CopyTo(row[Width..]);
            second.Row(t).CopyTo(row[(2 * Width)..]);
        }
        return new FrameFeatures(values, 3 * Width);
    }

    private FrameFeatures Slopes()
    {
        var slopes = new double[Values.Length];
        double At(int t, int j) => Values[Math.Clamp(t, 0, Frames - 1) * Width + j];
        for (var t = 0; t < Frames; t++)
            for (var j = 0; j < Width; j++)
                slopes[t * Width + j] = (At(t + 1, j) - At(t - 1, j) + 2 * (At(t + 2, j) - At(t - 2, j))) / 10;
        return new FrameFeatures(slopes, Width);
    }
}
