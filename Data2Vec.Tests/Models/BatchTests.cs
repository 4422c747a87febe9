using Data2Vec.Models;
using NUnit.Framework;

namespace Data2Vec.Tests.Models;

/// <summary>Batches of pictures and clips for which masks come out at the edge of what is possible.</summary>
public sealed class BatchTests
{
    [Test]
    public void A_batch_of_pictures_always_hides_a_patch()
    {
        // Blocks never span the whole height, so on a grid of one row all are refused.
        var batches = new VisionBatches(
            4, (_, _, pixels) => pixels.Span.Clear(), batchSize: 2, side: 4, new BlockMaskConfig(1, 4, 2, 1), seed: 1);
        Assert.That(batches.Get(0, 0, 1).Masked, Is.EqualTo(new[] { true, false, false, false, false, false, false, false }));
    }

    [Test]
    public void Clips_that_a_mask_would_hide_whole_are_refused_with_the_keys_that_help()
    {
        const int samples = 2000;
        var encoder = new AudioEncoderConfig(new TransformerConfig(2, 16, 2, 32), AudioEncoderConfig.PublishedFeatures(8));
        Assert.That(encoder.Frames(samples), Is.EqualTo(6));
        var batches = new AudioBatches([samples, samples], _ => new float[samples], batchSize: 2, samples, encoder,
            new SpanMaskConfig(0.9, 5), seed: 1);
        Assert.That(() =>
        {
            for (uint step = 0; step < 100; step++) batches.Get(step, 0, 1);
        }, Throws.InstanceOf<InvalidDataException>().With.Message.Contains("raise min_samples or lower mask_length"));
    }
}
