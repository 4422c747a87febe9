using Data2Vec.Engine;
using Data2Vec.Kernels;
using Data2Vec.Models;

namespace Data2Vec.Bench.Conformance;

/// <summary>Vision models and their heads.</summary>
internal sealed partial class ModelRun
{
    private bool Vision(PublishedModel model)
    {
        switch (model)
        {
            case VisionModel m:
                var last = Encode(m.Encoder).Last;
                Bare(last, m.Pool(view, last));
                return true;
            case ImageClassifier m:
                Head(m.Logits(view, Encode(m.Encoder).Last), l => m.Loss(l, inputs.Doubles("labels")));
                return true;
            default:
                return false;
        }
    }

    /// <summary>Pixels are recorded with channels first.</summary>
    private EncoderOutput Encode(VisionEncoder encoder)
    {
        var pixels = Ops.Permute(Watch("pixel_values"), 0, 2, 3, 1);
        var (height, width) = encoder.Grid(pixels);
        var batch = pixels.Shape[0];
        var masked = inputs.Contains("bool_masked_pos") ? inputs.Flags("bool_masked_pos") : null;
        var probabilities = Probabilities(encoder.Config.Transformer, batch, height * width + 1);
        var output = encoder.Forward(view, pixels, masked, Mode(probabilities));
        Outputs["patch_embeddings"] = encoder.PatchEmbeddings(view, pixels.Detach());
        Outputs["embeddings"] = output.Hidden[0];
        Layers(output, probabilities);
        if (encoder.SharedBias(view, height, width) is { } shared) Bias("relative_position_bias", shared);
        if (encoder.LayerBias(view, 0, height, width) is { } own) Bias("relative_position_bias.0", own);
        return output;
    }

    private void Bias(string name, Tensor bias) =>
        Outputs[name] = Ops.Reshape(bias, new Shape(1, bias.Shape[0], bias.Shape[1], bias.Shape[2]));
}
