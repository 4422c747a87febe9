using System.Collections.Concurrent;
using Data2Vec.Kernels;
using Data2Vec.Models.Data;
using NUnit.Framework;

namespace Data2Vec.Tests.Data;

public sealed class PrefetcherTests
{
    [TestCase(0, 1)]
    [TestCase(1, 1)]
    [TestCase(1, 5)]
    [TestCase(3, 2)]
    [TestCase(4, 16)]
    public void Order_and_content_do_not_depend_on_the_workers(int workers, int capacity)
    {
        using var prefetcher = new Prefetcher<(long, uint)>(Draw, 7, 207, workers, capacity);
        for (long i = 7; i < 207; i++)
        {
            Assert.That(prefetcher.Position, Is.EqualTo(i));
            Assert.That(prefetcher.Next(), Is.EqualTo(Draw(i, default)));
        }
        Assert.That(prefetcher.Next, Throws.InvalidOperationException.With.Message.Contains("before item 207"));
    }

    [TestCase(1, 1)]
    [TestCase(3, 4)]
    [TestCase(8, 5)]
    public void No_more_than_the_capacity_is_made_ahead(int workers, int capacity)
    {
        long consumed = 0;
        var worst = 0L;
        using var prefetcher = new Prefetcher<long>((i, _) =>
        {
            var ahead = i - Interlocked.Read(ref consumed);
            lock (typeof(PrefetcherTests)) worst = Math.Max(worst, ahead);
            return i;
        }, 0, long.MaxValue, workers, capacity);
        for (var i = 0; i < 300; i++)
        {
            // Counted before the item is taken: a worker may start on the freed place at once.
            Interlocked.Increment(ref consumed);
            Assert.That(prefetcher.Next(), Is.EqualTo(i));
        }
        Assert.That(worst, Is.LessThan(capacity));
    }

    [TestCase(0)]
    [TestCase(4)]
    public void An_exception_comes_out_at_its_item_and_the_next_follows(int workers)
    {
        using var prefetcher = new Prefetcher<long>(
            (i, _) => i % 5 == 3 ? throw new InvalidDataException($"item {i}") : i, 0, 20, workers, 6);
        for (long i = 0; i < 20; i++)
        {
            if (i % 5 == 3)
                Assert.That(() => prefetcher.Next(),
                    Throws.TypeOf<InvalidDataException>().With.Message.EqualTo($"item {i}"));
            else
                Assert.That(prefetcher.Next(), Is.EqualTo(i));
        }
    }

    [Test]
    public void Dispose_stops_workers_that_wait_and_those_that_work()
    {
        var entered = new CountdownEvent(2);
        var prefetcher = new Prefetcher<long>((i, stop) =>
        {
            if (i < 2) return i;
            if (!entered.IsSet) entered.Signal();
            stop.WaitHandle.WaitOne();
            stop.ThrowIfCancellationRequested();
            return i;
        }, 0, long.MaxValue, 2, 4);
        Assert.That(prefetcher.Next(), Is.Zero);
        entered.Wait();
        prefetcher.Dispose();
        prefetcher.Dispose();
        Assert.That(() => prefetcher.Next(), Throws.TypeOf<ObjectDisposedException>());
    }

    [Test]
    public void A_consumer_that_waits_is_woken_by_Dispose()
    {
        using var entered = new ManualResetEventSlim();
        var prefetcher = new Prefetcher<int>((_, stop) =>
        {
            entered.Set();
            stop.WaitHandle.WaitOne();
            return 1;
        }, 0, 10, 1, 1);
        var waiting = Task.Run(prefetcher.Next);
        entered.Wait();
        prefetcher.Dispose();
        Assert.That(async () => await waiting, Throws.TypeOf<ObjectDisposedException>());
    }

    [Test]
    public void Items_never_handed_out_are_disposed_of_and_others_are_not()
    {
        var made = new ConcurrentDictionary<long, Item>();
        var prefetcher = new Prefetcher<Item>((i, _) => made[i] = new Item(), 0, 8, 3, 8);
        var used = prefetcher.Next();
        SpinWait.SpinUntil(() => made.Count == 8);
        prefetcher.Dispose();
        Assert.That(used.Disposed, Is.False);
        Assert.That(made.Where(m => m.Key > 0).Select(m => m.Value.Disposed), Is.All.True);
    }

    [TestCase(-1, 5, 1, 1)]
    [TestCase(5, 4, 1, 1)]
    [TestCase(0, 5, -1, 1)]
    [TestCase(0, 5, 1, 0)]
    public void Numbers_out_of_range_are_refused(long first, long end, int workers, int capacity) =>
        Assert.That(() => new Prefetcher<long>((i, _) => i, first, end, workers, capacity),
            Throws.TypeOf<ArgumentOutOfRangeException>());

    private static (long, uint) Draw(long number, CancellationToken stop)
    {
        var random = new PhiloxStream(new RandomKey(5, (uint)number, 0, 77));
        if (random.NextInt(4) == 0) Thread.Sleep(random.NextInt(3));
        return (number, random.NextUInt());
    }

    private sealed class Item : IDisposable
    {
        public bool Disposed { get; private set; }

        public void Dispose() => Disposed = true;
    }
}
