using Data2Vec.Kernels;

namespace Data2Vec.Models;

/// <summary>Batches of pictures for pre-training: a function of seed and step alone.</summary>
public sealed class VisionBatches : IBatchSource<VisionPretrainBatch>
{
    private readonly Action<int, PhiloxStream, Memory<float>> read;
    private readonly int batchSize, side;
    private readonly BlockMaskConfig masking;
    private readonly ulong seed;
    private readonly DataOrder order;

    /// <param name="count">Number of pictures.</param>
    /// <param name="read">
    /// Writes a picture by its number as [side, side, 3], normalised; draws of its augmentation come from the stream.
    /// </param>
    /// <param name="batchSize">Pictures of one micro-batch.</param>
    /// <param name="side">Pixels from side to side.</param>
    /// <param name="masking">How patches are masked.</param>
    /// <param name="seed">Seed of the run.</param>
    /// <exception cref="ArgumentException">There is no picture.</exception>
    public VisionBatches(
        int count, Action<int, PhiloxStream, Memory<float>> read, int batchSize, int side, BlockMaskConfig masking,
        ulong seed)
    {
        if (count < 1) throw new ArgumentException("There is no picture to train on.");
        this.read = read;
        this.batchSize = batchSize;
        this.side = side;
        this.masking = masking;
        this.seed = seed;
        order = new DataOrder(count, seed);
    }

    /// <inheritdoc/>
    public VisionPretrainBatch Get(uint step, int microBatch, int microBatches)
    {
        var first = ((long)step * microBatches + microBatch) * batchSize;
        var size = side * side * 3;
        var pixels = new float[batchSize * size];
        var augmentation = new PhiloxStream(new RandomKey(seed, step, (ushort)microBatch, DataSites.Augmentation));
        for (var b = 0; b < batchSize; b++) read(order.At(first + b), augmentation, pixels.AsMemory(b * size, size));
        var draws = new PhiloxStream(new RandomKey(seed, step, (ushort)microBatch, DataSites.Mask));
        var masked = BlockMasker.Mask(batchSize, masking, draws);
        // A loss needs a row, and on an elongated grid every block can be refused: the first patch is masked then.
        if (!masked.Contains(true)) masked[0] = true;
        return new VisionPretrainBatch(batchSize, side, side, pixels, masked);
    }
}
