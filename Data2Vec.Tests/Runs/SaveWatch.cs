using System.Diagnostics;
using NUnit.Framework;

namespace Data2Vec.Tests.Runs;

/// <summary>The parts of a save, in order.</summary>
internal enum SaveMoment
{
    /// <summary>Files are being written into a hidden folder.</summary>
    Writing,
    /// <summary>The checkpoint has its name; `last` still points to the one before.</summary>
    Renamed,
    /// <summary>`last` points to it; the oldest checkpoint is still there.</summary>
    PointedTo,
    /// <summary>The oldest checkpoint has lost its manifest and is being removed.</summary>
    Removing,
}

/// <summary>Looks from outside at a folder of checkpoints (one is kept) into which another process saves.</summary>
internal sealed class SaveWatch(string folder)
{
    private string[] before = [];

    public string Folder => folder;

    /// <summary>Names that the next start has to remove.</summary>
    public string[] Leftovers() => before = !Directory.Exists(folder) ? [] :
    [
        .. Names(".saving-*"), .. Names(".last-*"),
        .. Names("step-*").Where(name => !IsComplete(name)),
    ];

    /// <summary>Waits until the child is at this moment of one of its next saves.</summary>
    /// <param name="moment">The moment.</param>
    /// <param name="saves">1 = the next save, 2 = the one after.</param>
    /// <param name="random">In [0, 1): how far the writing of files has come.</param>
    /// <param name="child">Who saves.</param>
    public void WaitFor(SaveMoment moment, int saves, double random, Child child)
    {
        var begun = new HashSet<string>(before);
        for (var i = 0; i < saves; i++) Poll(child, () => Names(".saving-*").Any(begun.Add));
        if (moment == SaveMoment.Writing) Thread.Sleep((int)(random * 120));
        else Poll(child, () => Interrupted() is { } now && now >= moment);
    }

    /// <summary>The moment of a save that the folder shows, or null: no save is going on.</summary>
    public SaveMoment? Interrupted()
    {
        if (Names(".saving-*").Any()) return SaveMoment.Writing;
        var complete = Names("step-*").Where(IsComplete).ToArray();
        if (complete.Length < Names("step-*").Count()) return SaveMoment.Removing;
        if (complete.Length < 2) return null;
        var last = new FileInfo(Path.Combine(folder, "last")).LinkTarget;
        return last == complete.Max(StringComparer.Ordinal) ? SaveMoment.PointedTo : SaveMoment.Renamed;
    }

    private IEnumerable<string> Names(string pattern) =>
        Directory.EnumerateFileSystemEntries(folder, pattern).Select(p => Path.GetFileName(p)!);

    private bool IsComplete(string name) => File.Exists(Path.Combine(folder, name, "manifest.json"));

    private static void Poll(Child child, Func<bool> reached)
    {
        var clock = Stopwatch.StartNew();
        while (!reached())
        {
            Assert.That(!child.HasExited, "the run ended before it could be killed");
            Assert.That(clock.Elapsed, Is.LessThan(TimeSpan.FromMinutes(1)), "no save has begun");
            Thread.Sleep(1);
        }
    }
}
