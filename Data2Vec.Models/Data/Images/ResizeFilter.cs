namespace Data2Vec.Models.Data;

/// <summary>The filters of a resize; the numbers are Pillow's, as <c>preprocessor_config.json</c> gives them.</summary>
public enum ResizeFilter
{
    /// <summary>The pixel whose square holds the centre; no smoothing.</summary>
    Nearest = 0,
    /// <summary>Windowed sinc of three lobes.</summary>
    Lanczos = 1,
    /// <summary>Triangle.</summary>
    Bilinear = 2,
    /// <summary>Cubic convolution with a = -0.5 (Keys, 1981).</summary>
    Bicubic = 3,
    /// <summary>Mean over a square.</summary>
    Box = 4,
    /// <summary>Sinc of one lobe under a Hamming window.</summary>
    Hamming = 5,
}

/// <summary>The weights of the source pixels for every pixel of one side of a resized picture.</summary>
/// <param name="First">[size]: first source pixel of each.</param>
/// <param name="Count">[size]: number of source pixels of each.</param>
/// <param name="Weights">[size, Taps]: weights times 2^22, rounded half away from zero.</param>
/// <param name="Taps">Largest number of source pixels.</param>
internal sealed record ResizeWeights(int[] First, int[] Count, int[] Weights, int Taps)
{
    /// <summary>Bits after the point of a weight: 8 bits of a level and 2 of overshoot fit beside them.</summary>
    public const int FractionBits = 22;

    /// <summary>
    /// The filter is stretched by the scale where that is above 1 (antialiasing), centred at
    /// start + (i + 0.5) * scale, cut at the edges of the picture and normalised.
    /// </summary>
    /// <param name="filter">Any but Nearest.</param>
    /// <param name="source">Pixels of the side in the source, whole.</param>
    /// <param name="start">Where the part that is resized begins.</param>
    /// <param name="end">Where it ends.</param>
    /// <param name="size">Pixels of the side in the result.</param>
    public static ResizeWeights Make(ResizeFilter filter, int source, double start, double end, int size)
    {
        var scale = (end - start) / size;
        var stretch = Math.Max(scale, 1);
        var support = Support(filter) * stretch;
        var taps = (int)Math.Ceiling(support) * 2 + 1;
        var result = new ResizeWeights(new int[size], new int[size], new int[(long)size * taps], taps);
        var weights = new double[taps];
        for (var i = 0; i < size; i++)
        {
            var centre = start + (i + 0.5) * scale;
            var first = Math.Max(0, (int)(centre - support + 0.5));
            var count = Math.Min(source, (int)(centre + support + 0.5)) - first;
            var sum = 0.0;
            for (var t = 0; t < count; t++)
                sum += weights[t] = Value(filter, (t + first - centre + 0.5) * (1 / stretch));
            for (var t = 0; t < count; t++)
            {
                var weight = (sum == 0 ? weights[t] : weights[t] / sum) * (1 << FractionBits);
                result.Weights[i * taps + t] = (int)(weight + (weight < 0 ? -0.5 : 0.5));
            }
            (result.First[i], result.Count[i]) = (first, count);
        }
        return result;
    }

    private static double Support(ResizeFilter filter) => filter switch
    {
        ResizeFilter.Box => 0.5,
        ResizeFilter.Bilinear or ResizeFilter.Hamming => 1,
        ResizeFilter.Bicubic => 2,
        ResizeFilter.Lanczos => 3,
        _ => throw new ArgumentOutOfRangeException(nameof(filter), filter, "ImageResize: the filter is unknown."),
    };

    private static double Value(ResizeFilter filter, double x)
    {
        var distance = Math.Abs(x);
        switch (filter)
        {
            case ResizeFilter.Box:
                return x is > -0.5 and <= 0.5 ? 1 : 0;
            case ResizeFilter.Bilinear:
                return distance < 1 ? 1 - distance : 0;
            case ResizeFilter.Hamming:
                return distance >= 1 ? 0 : Sinc(distance) * (0.54 + 0.46 * Math.Cos(Math.PI * distance));
            case ResizeFilter.Lanczos:
                return x is >= -3 and < 3 ? Sinc(x) * Sinc(x / 3) : 0;
            default:
                const double a = -0.5;
                return distance < 1 ? ((a + 2) * distance - (a + 3)) * distance * distance + 1
                    : distance < 2 ? (((distance - 5) * distance + 8) * distance - 4) * a
                    : 0;
        }
    }

    private static double Sinc(double x) => x == 0 ? 1 : Math.Sin(x * Math.PI) / (x * Math.PI);
}
