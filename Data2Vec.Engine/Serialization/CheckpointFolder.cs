using System.Globalization;
using Data2Vec.Kernels.Platform;

namespace Data2Vec.Engine.Serialization;

/// <summary>
/// A folder of checkpoints, <c>step-00000100</c> and so on, and <c>last</c>, which points to the current one. At every
/// moment of a save, also after a kill or a loss of power, <c>last</c> leads to a complete checkpoint, once there is
/// one.
/// </summary>
/// <remarks>
/// A save writes into <c>.saving-...</c>: each file is flushed to the disk, the manifest with their SHA-256 comes last;
/// then the folder is renamed, <c>last</c> is replaced in one step, and the oldest checkpoints are removed, manifest
/// first. So a folder without a manifest is never a checkpoint. One process at a time may save into a folder.
/// </remarks>
public sealed class CheckpointFolder
{
    private const string SavingPrefix = ".saving-";
    private const string StepPrefix = "step-";

    private readonly int keep;

    /// <summary>Uses a folder, and makes it where it is missing.</summary>
    /// <param name="path">The folder.</param>
    /// <param name="keep">How many checkpoints are kept, at least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">Keep is below 1.</exception>
    /// <exception cref="CheckpointException">The folder cannot be made.</exception>
    public CheckpointFolder(string path, int keep = 3)
    {
        if (keep < 1)
            throw new ArgumentOutOfRangeException(nameof(keep), keep, "At least one checkpoint must be kept.");
        Path = System.IO.Path.GetFullPath(path);
        this.keep = keep;
        try
        {
            Directory.CreateDirectory(Path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException(
                $"The folder {Path} for checkpoints cannot be made, because {DiskFailure.Reason(e)}.", e);
        }
    }

    /// <summary>The full path of the folder.</summary>
    public string Path { get; }

    /// <summary>For tests: stands between a save and the disk.</summary>
    internal Func<Stream, Stream> WrapStream { get; set; } = stream => stream;

    /// <summary>
    /// Removes what an interrupted save has left, and gives the names. To be called before training starts.
    /// </summary>
    /// <exception cref="CheckpointException">A leftover cannot be removed.</exception>
    public IReadOnlyList<string> Sweep()
    {
        var removed = new List<string>();
        foreach (var entry in new DirectoryInfo(Path).EnumerateFileSystemInfos())
        {
            var isFolder = entry is DirectoryInfo && entry.LinkTarget is null;
            var isLeftover = isFolder
                ? entry.Name.StartsWith(SavingPrefix, StringComparison.Ordinal)
                    || (entry.Name.StartsWith(StepPrefix, StringComparison.Ordinal) && !IsComplete(entry.FullName))
                : entry.Name.StartsWith(CheckpointPointer.TemporaryPrefix, StringComparison.Ordinal);
            if (!isLeftover) continue;
            try
            {
                if (isFolder) Directory.Delete(entry.FullName, recursive: true);
                else File.Delete(entry.FullName);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new CheckpointException($"The leftover {entry.FullName} cannot be removed: {e.Message}", e);
            }
            removed.Add(entry.Name);
        }
        return removed;
    }

    /// <summary>Saves a checkpoint and makes it the current one.</summary>
    /// <param name="step">Finished optimiser steps; names the folder.</param>
    /// <param name="write">Writes the files.</param>
    /// <returns>The full path of the checkpoint.</returns>
    /// <exception cref="CheckpointException">
    /// It cannot be written, and earlier checkpoints are untouched; or it was saved and an old one cannot be removed.
    /// </exception>
    public string Save(long step, Action<CheckpointWriter> write)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(step);
        var name = StepPrefix + step.ToString("D8", CultureInfo.InvariantCulture);
        var folder = Commit(name, write);
        SaveDelay.Wait();
        Prune(folder);
        return folder;
    }

    private string Commit(string name, Action<CheckpointWriter> write)
    {
        var saving = System.IO.Path.Combine(Path, $"{SavingPrefix}{name}-{Guid.NewGuid():N}");
        try
        {
            // Not made again where it has vanished: its disk may be gone, and another would be filled instead.
            if (!Directory.Exists(Path)) throw new DirectoryNotFoundException();
            Directory.CreateDirectory(saving);
            SaveDelay.Wait();
            var writer = new CheckpointWriter(saving, WrapStream);
            write(writer);
            writer.WriteManifest();
            DurableFiles.SyncFolder(saving);
            var folder = Place(saving, name);
            SaveDelay.Wait();
            CheckpointPointer.Set(Path, System.IO.Path.GetFileName(folder));
            return folder;
        }
        catch (Exception e)
        {
            TryRemove(saving);
            if (e is not (IOException or UnauthorizedAccessException)) throw;
            throw CheckpointException.CannotSave(name, Path, e);
        }
    }

    /// <summary>
    /// Opens the current checkpoint and verifies it, or gives null where there is none. A save that was killed just
    /// before <c>last</c> was made for the first time counts: the newest complete folder is opened then.
    /// </summary>
    /// <exception cref="CheckpointException">
    /// The current checkpoint is damaged; the message names an older one that is not.
    /// </exception>
    public Checkpoint? OpenLast()
    {
        var current = CheckpointPointer.Follow(System.IO.Path.Combine(Path, CheckpointPointer.Name))
            ?? NewestFirst().FirstOrDefault();
        if (current is null) return null;
        try
        {
            return Checkpoint.Open(current);
        }
        catch (CheckpointException e)
        {
            var older = NewestFirst().FirstOrDefault(folder => folder != current && Opens(folder));
            throw older is null ? e : new CheckpointException(
                e.Message.TrimEnd('.') + $"; the older checkpoint {older} is intact.", e);
        }
    }

    /// <summary>Gives the finished folder its name. The name is free unless the same step was saved before.</summary>
    private string Place(string saving, string name)
    {
        var current = CheckpointPointer.Target(System.IO.Path.Combine(Path, CheckpointPointer.Name));
        var folder = System.IO.Path.Combine(Path, name);
        // The current checkpoint must stay until the pointer has moved on; any other of this name is out of date.
        for (var again = 2; System.IO.Path.GetFileName(folder) == current; again++)
            folder = System.IO.Path.Combine(Path, $"{name}-{again.ToString(CultureInfo.InvariantCulture)}");
        if (Directory.Exists(folder)) Remove(folder);
        Directory.Move(saving, folder);
        DurableFiles.SyncFolder(Path);
        return folder;
    }

    private void Prune(string current)
    {
        foreach (var old in NewestFirst().Where(folder => folder != current).Skip(keep - 1).ToList())
        {
            try
            {
                Remove(old);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new CheckpointException(
                    $"Checkpoint {current} was saved, but the old one {old} cannot be removed: {e.Message}", e);
            }
        }
    }

    /// <summary>
    /// Complete checkpoints by the time of their manifest, because steps count anew after going back to an older one.
    /// </summary>
    private IEnumerable<string> NewestFirst() => Directory.EnumerateDirectories(Path, StepPrefix + "*")
        .Where(IsComplete)
        .OrderByDescending(folder => File.GetLastWriteTimeUtc(ManifestOf(folder)))
        .ThenByDescending(folder => folder, StringComparer.Ordinal);

    private static bool IsComplete(string folder) => File.Exists(ManifestOf(folder));

    private static string ManifestOf(string folder) => System.IO.Path.Combine(folder, CheckpointManifest.FileName);

    private static bool Opens(string folder)
    {
        try
        {
            Checkpoint.Open(folder);
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    private static void Remove(string folder)
    {
        File.Delete(ManifestOf(folder));
        SaveDelay.Wait();
        Directory.Delete(folder, recursive: true);
    }

    private static void TryRemove(string folder)
    {
        try
        {
            if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // What made the save fail also keeps its remains; the next start sweeps them.
        }
    }
}
