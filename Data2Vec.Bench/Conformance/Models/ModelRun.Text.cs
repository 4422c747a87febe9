using Data2Vec.Engine;
using Data2Vec.Models;

namespace Data2Vec.Bench.Conformance;

/// <summary>Text models and their heads.</summary>
internal sealed partial class ModelRun
{
    private bool Text(PublishedModel model)
    {
        switch (model)
        {
            case TextModel bare:
                var output = Encode(bare.Encoder);
                Bare(output.Last, bare.Encoder.Config.Pooler ? bare.Encoder.Pool(view, output.Last) : null);
                return true;
            case TextMaskedLanguageModel m:
                Head(m.Logits(view, Encode(m.Encoder).Last), l => TextMaskedLanguageModel.Loss(l, Labels));
                return true;
            case TextSequenceClassifier m:
                Head(m.Logits(view, Encode(m.Encoder).Last), l => m.Loss(l, inputs.Doubles("labels")));
                return true;
            case TextTokenClassifier m:
                Head(m.Logits(view, Encode(m.Encoder).Last), l => TextTokenClassifier.Loss(l, Labels));
                return true;
            case TextMultipleChoice m:
                var pooled = m.Encoder.Pool(view, Encode(m.Encoder).Last);
                Head(m.Logits(view, pooled, inputs.ShapeOf("input_ids")[1]), l => TextMultipleChoice.Loss(l, Labels));
                return true;
            case TextQuestionAnswering m:
                var (start, end) = m.Logits(view, Encode(m.Encoder).Last);
                (Outputs["start_logits"], Outputs["end_logits"]) = (start, end);
                if (inputs.Contains("start_positions"))
                {
                    Loss = TextQuestionAnswering.Loss(
                        start, end, inputs.Integers("start_positions"), inputs.Integers("end_positions"));
                }
                return true;
            default:
                return false;
        }
    }

    private int[] Labels => inputs.Integers("labels");

    private void Head(Tensor logits, Func<Tensor, Tensor> loss)
    {
        Outputs["logits"] = logits;
        if (inputs.Contains("labels")) Loss = loss(logits);
    }

    /// <summary>No mask given means that padding is attended to; choices are rows one behind the other.</summary>
    private EncoderOutput Encode(TextEncoder encoder)
    {
        var shape = inputs.ShapeOf("input_ids");
        var (rows, time) = ((int)(shape.Count / shape[-1]), shape[-1]);
        var batch = new TextBatch(rows, time, inputs.Integers("input_ids"))
        {
            Attend = inputs.Contains("attention_mask")
                ? inputs.Flags("attention_mask") : [.. Enumerable.Repeat(true, rows * time)],
            Types = inputs.Contains("token_type_ids") ? inputs.Integers("token_type_ids") : null,
        };
        var probabilities = Probabilities(encoder.Config.Transformer, rows, time);
        var output = encoder.Forward(view, batch, Mode(probabilities));
        Outputs["embeddings"] = output.Hidden[0];
        Layers(output, probabilities);
        return output;
    }
}
