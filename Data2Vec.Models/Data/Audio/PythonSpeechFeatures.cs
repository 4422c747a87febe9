namespace Data2Vec.Models.Data;

/// <summary>What python_speech_features can be told; the defaults are its own.</summary>
public sealed record PythonSpeechOptions
{
    /// <summary>Samples per second.</summary>
    public double SampleRate { get; init; } = 16000;

    /// <summary>Length of a frame in seconds.</summary>
    public double FrameLength { get; init; } = 0.025;

    /// <summary>From one frame to the next, in seconds.</summary>
    public double FrameShift { get; init; } = 0.01;

    /// <summary>Length of the transform; null = the next power of two.</summary>
    public int? TransformSize { get; init; }

    /// <summary>Triangular filters.</summary>
    public int Filters { get; init; } = 26;

    /// <summary>Lower end of the first filter in Hz.</summary>
    public double LowFrequency { get; init; }

    /// <summary>Upper end of the last filter in Hz; null = half the sample rate.</summary>
    public double? HighFrequency { get; init; }

    /// <summary>x[i] - a x[i-1] over the whole waveform; 0 = off.</summary>
    public double Preemphasis { get; init; } = 0.97;

    /// <summary>Cepstral coefficients.</summary>
    public int Cepstra { get; init; } = 13;

    /// <summary>L of the lifter; 0 = off.</summary>
    public double Lifter { get; init; } = 22;

    /// <summary>Put the logarithm of the frame's energy into coefficient 0.</summary>
    public bool AppendEnergy { get; init; } = true;
}

/// <summary>Log-mel filter banks and MFCC as the package python_speech_features 0.6 computes them, in double.</summary>
/// <remarks>
/// Frames are not windowed and the last one is filled up with zeros; the power is divided by the transform's size;
/// triangles stand on whole bins, mel = 2595 log10(1 + f / 700). Source: github.com/jameslyons/python_speech_features.
/// </remarks>
public static class PythonSpeechFeatures
{
    // Stands for 0 before a logarithm: float64's epsilon.
    private const double Least = 2.220446049250313e-16;

    /// <summary>The logarithm of the filters' energies.</summary>
    /// <exception cref="ArgumentException">Options that do not fit together.</exception>
    public static FrameFeatures LogFilterBank(ReadOnlySpan<float> samples, PythonSpeechOptions? options = null) =>
        Bands(samples, options ?? new PythonSpeechOptions()).Bands;

    /// <summary>Mel-frequency cepstral coefficients.</summary>
    /// <exception cref="ArgumentException">Options that do not fit together.</exception>
    public static FrameFeatures Mfcc(ReadOnlySpan<float> samples, PythonSpeechOptions? options = null)
    {
        options ??= new PythonSpeechOptions();
        var (bands, energies) = Bands(samples, options);
        var width = Math.Min(options.Cepstra, options.Filters);
        var features = new FrameFeatures(new double[bands.Frames * width], width);
        for (var t = 0; t < bands.Frames; t++)
        {
            var row = features.Values.AsSpan(t * width, width);
            CosineTransform.Apply(bands.Row(t), row);
            CosineTransform.Lift(row, options.Lifter);
            if (options.AppendEnergy) row[0] = Math.Log(energies[t]);
        }
        return features;
    }

    private static (FrameFeatures Bands, double[] Energies) Bands(
        ReadOnlySpan<float> samples, PythonSpeechOptions options)
    {
        var length = RoundedUp(options.FrameLength * options.SampleRate);
        var shift = RoundedUp(options.FrameShift * options.SampleRate);
        if (length < 1 || shift < 1 || options.Filters < 1 || options.Cepstra < 1 || options.TransformSize is < 2)
            throw new ArgumentException($"Frames of {length} samples every {shift} with {options.Filters} filters and "
                + $"{options.Cepstra} coefficients make no features.");
        var size = options.TransformSize ?? 2;
        while (options.TransformSize is null && size < options.FrameLength * options.SampleRate) size *= 2;
        var frames = samples.Length <= length ? 1 : 1 + (samples.Length - length + shift - 1) / shift;
        var spectrum = new Spectrum(size);
        var triangles = Triangles(options, size);
        var bands = new FrameFeatures(new double[frames * options.Filters], options.Filters);
        var energies = new double[frames];
        var (frame, power) = (new double[length], new double[spectrum.Bins]);
        for (var t = 0; t < frames; t++)
        {
            for (var i = 0; i < length; i++)
            {
                var at = t * shift + i;
                frame[i] = at >= samples.Length ? 0
                    : at == 0 ? samples[0] : samples[at] - options.Preemphasis * samples[at - 1];
            }
            spectrum.Power(frame, power);
            var energy = 0.0;
            foreach (ref var p in power.AsSpan()) energy += p /= size;
            energies[t] = energy == 0 ? Least : energy;
            for (var f = 0; f < options.Filters; f++)
            {
                var sum = 0.0;
                for (var k = 0; k < power.Length; k++) sum += power[k] * triangles[f][k];
                bands.Values[t * options.Filters + f] = Math.Log(sum == 0 ? Least : sum);
            }
        }
        return (bands, energies);
    }

    private static double[][] Triangles(PythonSpeechOptions options, int size)
    {
        static double Mel(double f) => 2595 * Math.Log10(1 + f / 700);
        static double Hertz(double mel) => 700 * (Math.Pow(10, mel / 2595) - 1);
        var high = options.HighFrequency ?? options.SampleRate / 2;
        if (options.LowFrequency < 0 || high <= options.LowFrequency || high > options.SampleRate / 2)
            throw new ArgumentException(
                $"Filters cannot lie between {options.LowFrequency} and {high} Hz at {options.SampleRate} Hz.");
        var (first, last) = (Mel(options.LowFrequency), Mel(high));
        var step = (last - first) / (options.Filters + 1);
        int Bin(int point)
        {
            // The last point is exactly the end, as a linear space has it.
            var mel = point == options.Filters + 1 ? last : first + point * step;
            return (int)Math.Floor((size + 1) * Hertz(mel) / options.SampleRate);
        }
        var triangles = new double[options.Filters][];
        for (var f = 0; f < options.Filters; f++)
        {
            triangles[f] = new double[size / 2 + 1];
            var (left, centre, right) = (Bin(f), Bin(f + 1), Bin(f + 2));
            for (var k = left; k < centre; k++) triangles[f][k] = (double)(k - left) / (centre - left);
            for (var k = centre; k < Math.Min(right, size / 2 + 1); k++)
                triangles[f][k] = (double)(right - k) / (right - centre);
        }
        return triangles;
    }

    private static int RoundedUp(double samples) => (int)Math.Round(samples, MidpointRounding.AwayFromZero);
}
