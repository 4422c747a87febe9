using System.Text.Json;
using Data2Vec.Engine.Serialization;
using Data2Vec.Models.Data;

namespace Data2Vec.Bench.Conformance;

/// <summary>The cases of the audio suite that are signals: resampling, feature extractor, cepstral features.</summary>
internal static class AudioSignalChecks
{
    // Stated for the suite: at least 75 dB, and 90 where soxr HQ reaches 120.
    private const double Quiet = 75;
    private const double QuieterStill = 90;
    private const double PeerOutstanding = 120;

    // Stated for the cases: the published sums are float32.
    private const double ExtractorTolerance = 2e-4;

    /// <summary>The error against the analytic signal, as a part of it, in amplitude.</summary>
    public static IEnumerable<Difference> Resampling(JsonElement item, SafetensorsFile file)
    {
        var name = item.GetProperty("name").GetString()!;
        var x = Array.ConvertAll(file.ReadDoubles(name + ".x"), v => (float)v);
        var truth = file.ReadDoubles(name + ".truth");
        var y = Resampler.Resample(new AudioClip(x, item.GetProperty("from").GetInt32()),
            item.GetProperty("to").GetInt32()).Samples;
        if (y.Length != item.GetProperty("output_samples").GetInt32())
            yield return new Difference("length", double.PositiveInfinity, 0, $"{y.Length} samples");
        var edge = item.GetProperty("edge_samples_ignored").GetInt32();
        var (signal, error) = (0.0, 0.0);
        for (var i = edge; i < Math.Min(y.Length, truth.Length) - edge; i++)
        {
            signal += truth[i] * truth[i];
            error += (truth[i] - y[i]) * (truth[i] - y[i]);
        }
        var peer = item.GetProperty("snr_db").GetProperty("soxr_hq").GetDouble();
        var wanted = peer > PeerOutstanding ? QuieterStill : Quiet;
        yield return new Difference("noise to signal", Math.Sqrt(error / signal), Math.Pow(10, -wanted / 20));
    }

    public static IEnumerable<Difference> Extractor(JsonElement item, SafetensorsFile file)
    {
        var name = item.GetProperty("name").GetString()!;
        var count = item.GetProperty("batch").GetInt32();
        var left = item.GetProperty("init").TryGetProperty("padding_side", out var side) && side.GetString() == "left";
        var options = ExtractorOptions(item.GetProperty("init"), item.GetProperty("call"));
        var waves = Enumerable.Range(0, count)
            .Select(i => Array.ConvertAll(file.ReadDoubles($"{name}.in{i}"), v => (float)v)).ToArray();
        var got = AudioFeatureExtractor.Extract(left ? FirstOfLeftPadded(waves, options) : waves, options);
        for (var i = 0; i < count; i++)
        {
            var expected = file.ReadDoubles($"{name}.values{i}");
            yield return Absolute($"values{i}", Array.ConvertAll(got.Values[i], v => (double)v), expected);
            if (!item.GetProperty("mask").GetBoolean()) continue;
            var mask = left ? [.. got.Mask(i).Reverse()] : got.Mask(i);
            yield return Comparison.Compare($"mask{i}", Array.ConvertAll(mask, v => (double)v),
                file.ReadDoubles($"{name}.mask{i}"), Tolerance.Exact);
        }
    }

    public static IEnumerable<Difference> Features(JsonElement item, SafetensorsFile file)
    {
        var name = item.GetProperty("name").GetString()!;
        var x = file.Read<float>(name + ".x");
        var kind = item.GetProperty("kind").GetString()!;
        var got = kind switch
        {
            "kaldi_mfcc" => KaldiFeatures.Mfcc(x, AudioFeatureArguments.Kaldi(item)),
            "kaldi_fbank" => KaldiFeatures.FilterBank(x, AudioFeatureArguments.Kaldi(item)),
            "psf_mfcc" => PythonSpeechFeatures.Mfcc(x, AudioFeatureArguments.PythonSpeech(item)),
            "psf_logfbank" => PythonSpeechFeatures.LogFilterBank(x, AudioFeatureArguments.PythonSpeech(item)),
            _ => throw new NotExpressibleException($"the features {kind} are unknown"),
        };
        var expected = file.ReadDoubles(name + ".y");
        // torchaudio's mel triangles are float32 in its float64 run too.
        var published = Tolerance.Factor * item.GetProperty("float32_vs_float64").GetDouble();
        var tolerance = kind.StartsWith("kaldi", StringComparison.Ordinal)
            ? Math.Max(published, Tolerance.Single * Comparison.Largest(expected))
            : Tolerance.Double * Comparison.Largest(expected);
        yield return Absolute("y", got.Values, expected, tolerance);
        if (item.GetProperty("deltas").GetBoolean())
            yield return Absolute("deltas", got.WithDeltas().Values, file.ReadDoubles(name + ".deltas"), tolerance);
    }

    /// <summary>
    /// With padding on the left the published extractor normalises the first samples of the padded row, as many as the
    /// utterance has, and fills up behind them: this gives those samples.
    /// </summary>
    private static float[][] FirstOfLeftPadded(float[][] waves, AudioExtractorOptions options)
    {
        var padded = AudioFeatureExtractor.Extract(waves, options with { Normalize = false }).Values;
        return [.. waves.Select((wave, i) =>
        {
            var row = new float[padded[i].Length];
            Array.Fill(row, options.PaddingValue);
            wave.CopyTo(row, row.Length - wave.Length);
            return row[..wave.Length];
        })];
    }

    private static AudioExtractorOptions ExtractorOptions(JsonElement init, JsonElement call)
    {
        var options = new AudioExtractorOptions { Padding = AudioPadding.None };
        foreach (var argument in init.EnumerateObject().Concat(call.EnumerateObject()))
        {
            var value = argument.Value;
            options = argument.Name switch
            {
                "do_normalize" => options with { Normalize = value.GetBoolean() },
                "return_attention_mask" => options with { UsesMask = value.GetBoolean() },
                "padding_value" => options with { PaddingValue = value.GetSingle() },
                "padding" => options with { Padding = Padding(value) },
                "max_length" => options with { MaxLength = value.GetInt32() },
                "truncation" => options with { Truncate = value.GetBoolean() },
                "pad_to_multiple_of" => options with { PadToMultipleOf = value.GetInt32() },
                "padding_side" => options,
                _ => throw new NotExpressibleException($"the extractor's argument {argument.Name} is unknown"),
            };
        }
        return options;
    }

    private static AudioPadding Padding(JsonElement value) => value.ToString() switch
    {
        "True" or "longest" => AudioPadding.Longest,
        "max_length" => AudioPadding.MaxLength,
        "False" or "do_not_pad" => AudioPadding.None,
        var other => throw new NotExpressibleException($"padding \"{other}\" is unknown"),
    };

    private static Difference Absolute(
        string name, double[] got, double[] expected, double tolerance = ExtractorTolerance)
    {
        var difference = Comparison.Compare(name, got, expected, new Tolerance(1, double.Epsilon));
        return difference with { Allowed = difference.What.Length > 0 ? 0 : tolerance };
    }
}
