using System.Numerics;

namespace Data2Vec.Models.Data;

/// <summary>The window that a frame is multiplied by.</summary>
public enum FrameWindow
{
    /// <summary>Hann to the power of 0.85.</summary>
    Povey,
    /// <summary>0.5 - 0.5 cos.</summary>
    Hanning,
    /// <summary>0.54 - 0.46 cos.</summary>
    Hamming,
    /// <summary>b - 0.5 cos + (0.5 - b) cos of twice the angle.</summary>
    Blackman,
    /// <summary>Ones.</summary>
    Rectangular,
}

/// <summary>What Kaldi's compute-fbank-feats and compute-mfcc-feats can be told; the defaults are theirs.</summary>
public sealed record KaldiOptions
{
    /// <summary>Samples per second.</summary>
    public double SampleRate { get; init; } = 16000;

    /// <summary>Length of a frame in milliseconds.</summary>
    public double FrameLength { get; init; } = 25;

    /// <summary>From one frame to the next, in milliseconds.</summary>
    public double FrameShift { get; init; } = 10;

    /// <summary>Only frames that lie wholly inside; else as many as there are shifts, the ends mirrored.</summary>
    public bool SnipEdges { get; init; } = true;

    /// <summary>Fill frames up to a power of two before the transform.</summary>
    public bool RoundToPowerOfTwo { get; init; } = true;

    /// <summary>Subtract each frame's mean.</summary>
    public bool RemoveOffset { get; init; } = true;

    /// <summary>x[i] - a x[i-1], the first sample standing before itself; 0 = off.</summary>
    public double Preemphasis { get; init; } = 0.97;

    /// <summary>The window.</summary>
    public FrameWindow Window { get; init; } = FrameWindow.Povey;

    /// <summary>b of the Blackman window.</summary>
    public double BlackmanCoefficient { get; init; } = 0.42;

    /// <summary>Mel bands.</summary>
    public int MelBins { get; init; } = 23;

    /// <summary>Lower end of the first band in Hz.</summary>
    public double LowFrequency { get; init; } = 20;

    /// <summary>Upper end of the last band in Hz; 0 or less counts from half the sample rate.</summary>
    public double HighFrequency { get; init; }

    /// <summary>Bands of the power, else of the magnitude.</summary>
    public bool UsePower { get; init; } = true;

    /// <summary>Logarithm of the bands (filter bank only; cepstra always use it).</summary>
    public bool UseLog { get; init; } = true;

    /// <summary>Add the logarithm of the frame's energy, or put it into coefficient 0.</summary>
    public bool UseEnergy { get; init; }

    /// <summary>Energy before pre-emphasis and window.</summary>
    public bool RawEnergy { get; init; } = true;

    /// <summary>The energy counts as at least this; 0 = off.</summary>
    public double EnergyFloor { get; init; } = 1;

    /// <summary>Energy, or coefficient 0, comes last.</summary>
    public bool HtkOrder { get; init; }

    /// <summary>Cepstral coefficients.</summary>
    public int Cepstra { get; init; } = 13;

    /// <summary>L of the lifter; 0 = off.</summary>
    public double Lifter { get; init; } = 22;

    /// <summary>Subtract each feature's mean over the frames.</summary>
    public bool SubtractMean { get; init; }
}

/// <summary>Log-mel filter banks and MFCC as Kaldi computes them, in double and without dither.</summary>
/// <remarks>
/// Source: kaldi-asr.org, feat/feature-window.cc, mel-computations.cc, feature-fbank.cc, feature-mfcc.cc; triangles are
/// linear in mel = 1127 ln(1 + f / 700). HuBERT's first clusters are of <see cref="Mfcc"/> with the defaults.
/// </remarks>
public static class KaldiFeatures
{
    // The least value that a logarithm is taken of: float32's epsilon.
    private const double Least = 1.1920928955078125e-07;

    /// <summary>Mel filter bank, with the energy first or last when it is wanted.</summary>
    /// <param name="samples">The waveform.</param>
    /// <param name="options">Null = Kaldi's defaults.</param>
    /// <exception cref="ArgumentException">Options that do not fit together.</exception>
    public static FrameFeatures FilterBank(ReadOnlySpan<float> samples, KaldiOptions? options = null)
    {
        options ??= new KaldiOptions();
        var (bands, energies) = Bands(samples, options, options.UsePower, options.UseLog);
        var features = bands;
        if (options.UseEnergy)
        {
            features = new FrameFeatures(new double[bands.Frames * (bands.Width + 1)], bands.Width + 1);
            for (var t = 0; t < bands.Frames; t++)
            {
                var row = features.Values.AsSpan(t * features.Width, features.Width);
                bands.Row(t).CopyTo(options.HtkOrder ? row : row[1..]);
                row[options.HtkOrder ? ^1 : 0] = energies[t];
            }
        }
        return Centred(features, options);
    }

    /// <summary>Mel-frequency cepstral coefficients.</summary>
    /// <param name="samples">The waveform.</param>
    /// <param name="options">Null = Kaldi's defaults.</param>
    /// <exception cref="ArgumentException">Options that do not fit together.</exception>
    public static FrameFeatures Mfcc(ReadOnlySpan<float> samples, KaldiOptions? options = null)
    {
        options ??= new KaldiOptions();
        if (options.Cepstra < 1 || options.Cepstra > options.MelBins)
            throw new ArgumentException(
                $"There must be 1 to {options.MelBins} cepstral coefficients of as many bands; got {options.Cepstra}.");
        var (bands, energies) = Bands(samples, options, power: true, logarithm: true);
        var features = new FrameFeatures(new double[bands.Frames * options.Cepstra], options.Cepstra);
        for (var t = 0; t < bands.Frames; t++)
        {
            var row = features.Values.AsSpan(t * options.Cepstra, options.Cepstra);
            CosineTransform.Apply(bands.Row(t), row);
            CosineTransform.Lift(row, options.Lifter);
            if (options.UseEnergy) row[0] = energies[t];
            if (!options.HtkOrder) continue;
            var first = options.UseEnergy ? row[0] : row[0] * Math.Sqrt(2);
            row[1..].CopyTo(row);
            row[^1] = first;
        }
        return Centred(features, options);
    }

    private static (FrameFeatures Bands, double[] Energies) Bands(
        ReadOnlySpan<float> samples, KaldiOptions options, bool power, bool logarithm)
    {
        var length = (int)(options.SampleRate * options.FrameLength * 0.001);
        var shift = (int)(options.SampleRate * options.FrameShift * 0.001);
        if (length < 2 || shift < 1 || options.MelBins < 1)
            throw new ArgumentException(
                $"Frames of {length} samples every {shift} with {options.MelBins} bands make no features.");
        var size = options.RoundToPowerOfTwo ? (int)BitOperations.RoundUpToPowerOf2((uint)length) : length;
        var spectrum = new Spectrum(size);
        var triangles = Triangles(options, size);
        var window = Window(options, length);
        var frames = options.SnipEdges
            ? samples.Length < length ? 0 : 1 + (samples.Length - length) / shift
            : samples.Length == 0 ? 0 : (samples.Length + shift / 2) / shift;
        var bands = new FrameFeatures(new double[frames * options.MelBins], options.MelBins);
        var energies = new double[frames];
        var (frame, bins) = (new double[length], new double[spectrum.Bins]);
        for (var t = 0; t < frames; t++)
        {
            var start = options.SnipEdges ? t * shift : t * shift + shift / 2 - length / 2;
            for (var i = 0; i < length; i++) frame[i] = samples[Mirrored(start + i, samples.Length)];
            energies[t] = Prepare(frame, window, options);
            spectrum.Power(frame, bins);
            for (var b = 0; b < options.MelBins; b++)
            {
                var sum = 0.0;
                // The highest bin belongs to no band.
                for (var k = 0; k < size / 2; k++)
                    if (triangles[b][k] > 0) sum += triangles[b][k] * (power ? bins[k] : Math.Sqrt(bins[k]));
                bands.Values[t * options.MelBins + b] = logarithm ? Math.Log(Math.Max(sum, Least)) : sum;
            }
        }
        return (bands, energies);
    }

    /// <summary>Offset, pre-emphasis and window, in place; gives the logarithm of the energy.</summary>
    private static double Prepare(double[] frame, double[] window, KaldiOptions options)
    {
        if (options.RemoveOffset)
        {
            var mean = frame.Average();
            for (var i = 0; i < frame.Length; i++) frame[i] -= mean;
        }
        var energy = options.RawEnergy ? LogEnergy(frame, options) : 0;
        for (var i = frame.Length - 1; i >= 0; i--)
            frame[i] = (frame[i] - options.Preemphasis * frame[Math.Max(0, i - 1)]) * window[i];
        return options.RawEnergy ? energy : LogEnergy(frame, options);
    }

    private static double LogEnergy(double[] frame, KaldiOptions options)
    {
        var energy = 0.0;
        foreach (var x in frame) energy += x * x;
        var log = Math.Log(Math.Max(energy, Least));
        return options.EnergyFloor == 0 ? log : Math.Max(log, Math.Log(options.EnergyFloor));
    }

    /// <summary>The sample of an index beyond the ends: -1 is 0, -2 is 1, and so on.</summary>
    private static int Mirrored(int index, int length)
    {
        while (index < 0 || index >= length) index = index < 0 ? -1 - index : 2 * length - 1 - index;
        return index;
    }

    private static double[] Window(KaldiOptions options, int length)
    {
        var window = new double[length];
        for (var i = 0; i < length; i++)
        {
            var cosine = Math.Cos(2 * Math.PI * i / (length - 1));
            window[i] = options.Window switch
            {
                FrameWindow.Povey => Math.Pow(0.5 - 0.5 * cosine, 0.85),
                FrameWindow.Hanning => 0.5 - 0.5 * cosine,
                FrameWindow.Hamming => 0.54 - 0.46 * cosine,
                FrameWindow.Blackman => options.BlackmanCoefficient - 0.5 * cosine
                    + (0.5 - options.BlackmanCoefficient) * Math.Cos(4 * Math.PI * i / (length - 1)),
                _ => 1,
            };
        }
        return window;
    }

    private static double[][] Triangles(KaldiOptions options, int size)
    {
        static double Mel(double f) => 1127 * Math.Log(1 + f / 700);
        var half = options.SampleRate / 2;
        var high = options.HighFrequency > 0 ? options.HighFrequency : half + options.HighFrequency;
        if (options.LowFrequency < 0 || options.LowFrequency >= high || high > half)
            throw new ArgumentException(
                $"Mel bands cannot lie between {options.LowFrequency} and {high} Hz at {options.SampleRate} Hz.");
        var step = (Mel(high) - Mel(options.LowFrequency)) / (options.MelBins + 1);
        var triangles = new double[options.MelBins][];
        for (var b = 0; b < options.MelBins; b++)
        {
            var left = Mel(options.LowFrequency) + b * step;
            triangles[b] = new double[size / 2];
            for (var k = 0; k < size / 2; k++)
            {
                var position = (Mel(options.SampleRate / size * k) - left) / step;
                triangles[b][k] = Math.Max(0, Math.Min(position, 2 - position));
            }
        }
        return triangles;
    }

    private static FrameFeatures Centred(FrameFeatures features, KaldiOptions options)
    {
        if (!options.SubtractMean || features.Frames == 0) return features;
        for (var j = 0; j < features.Width; j++)
        {
            var mean = 0.0;
            for (var t = 0; t < features.Frames; t++) mean += features.Values[t * features.Width + j] / features.Frames;
            for (var t = 0; t < features.Frames; t++) features.Values[t * features.Width + j] -= mean;
        }
        return features;
    }
}
