using System.Text.Json;
using Data2Vec.Models.Data;

namespace Data2Vec.Bench.Conformance;

/// <summary>Turns the recorded arguments of feature functions into our options.</summary>
internal static class AudioFeatureArguments
{
    /// <summary>Of torchaudio.compliance.kaldi.</summary>
    public static KaldiOptions Kaldi(JsonElement item)
    {
        var options = new KaldiOptions { SampleRate = item.GetProperty("rate").GetDouble() };
        foreach (var argument in item.GetProperty("kwargs").EnumerateObject())
        {
            var value = argument.Value;
            options = argument.Name switch
            {
                "frame_length" => options with { FrameLength = value.GetDouble() },
                "frame_shift" => options with { FrameShift = value.GetDouble() },
                "snip_edges" => options with { SnipEdges = value.GetBoolean() },
                "round_to_power_of_two" => options with { RoundToPowerOfTwo = value.GetBoolean() },
                "remove_dc_offset" => options with { RemoveOffset = value.GetBoolean() },
                "preemphasis_coefficient" => options with { Preemphasis = value.GetDouble() },
                "window_type" => options with { Window = Window(value.GetString()!) },
                "blackman_coeff" => options with { BlackmanCoefficient = value.GetDouble() },
                "num_mel_bins" => options with { MelBins = value.GetInt32() },
                "low_freq" => options with { LowFrequency = value.GetDouble() },
                "high_freq" => options with { HighFrequency = value.GetDouble() },
                "use_power" => options with { UsePower = value.GetBoolean() },
                "use_log_fbank" => options with { UseLog = value.GetBoolean() },
                "use_energy" => options with { UseEnergy = value.GetBoolean() },
                "raw_energy" => options with { RawEnergy = value.GetBoolean() },
                "energy_floor" => options with { EnergyFloor = value.GetDouble() },
                "htk_compat" => options with { HtkOrder = value.GetBoolean() },
                "num_ceps" => options with { Cepstra = value.GetInt32() },
                "cepstral_lifter" => options with { Lifter = value.GetDouble() },
                "subtract_mean" => options with { SubtractMean = value.GetBoolean() },
                _ => throw new NotExpressibleException($"the argument {argument.Name} is not expressed"),
            };
        }
        return options;
    }

    /// <summary>Of python_speech_features.</summary>
    public static PythonSpeechOptions PythonSpeech(JsonElement item)
    {
        var options = new PythonSpeechOptions { SampleRate = item.GetProperty("rate").GetDouble() };
        foreach (var argument in item.GetProperty("kwargs").EnumerateObject())
        {
            var value = argument.Value;
            options = argument.Name switch
            {
                "winlen" => options with { FrameLength = value.GetDouble() },
                "winstep" => options with { FrameShift = value.GetDouble() },
                "nfft" => options with { TransformSize = value.GetInt32() },
                "nfilt" => options with { Filters = value.GetInt32() },
                "lowfreq" => options with { LowFrequency = value.GetDouble() },
                "highfreq" => options with { HighFrequency = value.GetDouble() },
                "preemph" => options with { Preemphasis = value.GetDouble() },
                "numcep" => options with { Cepstra = value.GetInt32() },
                "ceplifter" => options with { Lifter = value.GetDouble() },
                "appendEnergy" => options with { AppendEnergy = value.GetBoolean() },
                _ => throw new NotExpressibleException($"the argument {argument.Name} is not expressed"),
            };
        }
        return options;
    }

    private static FrameWindow Window(string name) => name switch
    {
        "povey" => FrameWindow.Povey,
        "hanning" => FrameWindow.Hanning,
        "hamming" => FrameWindow.Hamming,
        "blackman" => FrameWindow.Blackman,
        "rectangular" => FrameWindow.Rectangular,
        _ => throw new NotExpressibleException($"the window {name} is unknown"),
    };
}
