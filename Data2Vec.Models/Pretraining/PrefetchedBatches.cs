using Data2Vec.Models.Data;

namespace Data2Vec.Models;

/// <summary>
/// Batches of another source, made ahead on worker threads in the order of a run. They are the same batches: what one is
/// depends on its number alone.
/// </summary>
/// <typeparam name="TBatch">A micro-batch of the modality.</typeparam>
/// <param name="sources">Makes a source for each worker; every one gives the same batches.</param>
/// <param name="workers">Threads; 0 = batches are made when they are asked for.</param>
internal sealed class PrefetchedBatches<TBatch>(Func<IBatchSource<TBatch>> sources, int workers)
    : IBatchSource<TBatch>, IDisposable
{
    private readonly ThreadLocal<IBatchSource<TBatch>> own = new(sources);
    private Prefetcher<TBatch>? prefetcher;

    /// <inheritdoc/>
    public TBatch Get(uint step, int microBatch, int microBatches)
    {
        var number = (long)step * microBatches + microBatch;
        if (prefetcher?.Position != number)
        {
            prefetcher?.Dispose();
            prefetcher = new Prefetcher<TBatch>(
                (n, _) => own.Value!.Get((uint)(n / microBatches), (int)(n % microBatches), microBatches),
                number, long.MaxValue, workers, capacity: Math.Max(1, 2 * workers));
        }
        return prefetcher.Next();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        prefetcher?.Dispose();
        own.Dispose();
    }
}
