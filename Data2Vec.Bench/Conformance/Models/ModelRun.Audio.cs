using Data2Vec.Engine;
using Data2Vec.Kernels;
using Data2Vec.Models;

namespace Data2Vec.Bench.Conformance;

/// <summary>Audio models and their heads.</summary>
internal sealed partial class ModelRun
{
    private bool Audio(PublishedModel model)
    {
        switch (model)
        {
            case AudioModel m:
                Bare(Encode(m.Encoder).Last, null);
                return true;
            case AudioCtcModel m:
                Head(m.Logits(view, Encode(m.Encoder).Last), l => m.Loss(l, Frames(m.Encoder), LabelRows()));
                return true;
            case AudioSequenceClassifier m:
                Head(m.Logits(view, Encode(m.Encoder), Frames(m.Encoder)),
                    l => AudioSequenceClassifier.Loss(l, Labels));
                return true;
            case AudioFrameClassifier m:
                Head(m.Logits(view, Encode(m.Encoder)), l => AudioFrameClassifier.Loss(l, LabelledFrames()));
                return true;
            case AudioXVectorModel m:
                var (vector, logits) = m.Forward(view, Encode(m.Encoder), Frames(m.Encoder));
                Outputs["xvector"] = vector;
                Head(logits, l => m.Loss(view, l, Labels));
                return true;
            default:
                return false;
        }
    }

    private EncoderOutput Encode(AudioEncoder encoder)
    {
        var waveform = Watch("input_values");
        var frames = encoder.FrameLengths(waveform, Lengths());
        var masked = inputs.Contains("mask_time_indices") ? inputs.Flags("mask_time_indices") : null;
        var features = encoder.Features(view, waveform);
        var projected = encoder.Project(view, features);
        var probabilities = Probabilities(encoder.Config.Transformer, features.Shape[0], features.Shape[1]);
        var output = encoder.Encode(view, projected, frames, masked, Mode(probabilities));
        Outputs["feature_encoder"] = Ops.Transpose(features.Detach());
        Outputs["extract_features"] = encoder.NormalisedFeatures(view, features.Detach());
        Outputs["projected"] = projected;
        Outputs["encoder_input"] = encoder.Masked(view, projected.Detach(), frames, masked);
        Outputs["pos_conv"] = encoder.Positions(view, Outputs["encoder_input"].Detach());
        Layers(output, probabilities);
        return output;
    }

    /// <summary>Samples of each clip, where an attention mask is given.</summary>
    private int[]? Lengths()
    {
        if (!inputs.Contains("attention_mask")) return null;
        var (rows, columns) = (inputs.ShapeOf("attention_mask")[0], inputs.ShapeOf("attention_mask")[1]);
        var mask = inputs.Flags("attention_mask");
        return [.. Enumerable.Range(0, rows).Select(b => mask.AsSpan(b * columns, columns).Count(true))];
    }

    private int[]? Frames(AudioEncoder encoder) =>
        Lengths() is { } lengths ? Array.ConvertAll(lengths, encoder.Config.Frames) : null;

    private int[][] LabelRows() => [.. Labels.Chunk(inputs.ShapeOf("labels")[1])];

    /// <summary>Labels of frames are recorded as one 1 among zeros.</summary>
    private int[] LabelledFrames() =>
        [.. inputs.Doubles("labels").Chunk(inputs.ShapeOf("labels")[2]).Select(row => Array.IndexOf(row, 1))];

    private Tensor Watch(string name)
    {
        var tensor = Input(name);
        return tape is null ? tensor : Watched[name] = tape.Watch(tensor);
    }
}
