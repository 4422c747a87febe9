using Data2Vec.Engine;
using Data2Vec.Engine.Serialization;
using Data2Vec.Models.Evaluation;

namespace Data2Vec.Models;

/// <summary>What a run is told beside its configuration.</summary>
/// <param name="Folder">The run folder.</param>
/// <param name="Data">Files or folders; empty = the data that every machine has or can make.</param>
/// <param name="Device">Name of the device.</param>
/// <param name="Resume">Go on from the folder's last checkpoint when there is one.</param>
public sealed record PretrainOptions(
    string Folder, IReadOnlyList<string> Data, string Device = "cpu", bool Resume = false);

/// <summary>
/// What a modality brings to a run: data, model, probes and the published form of its checkpoints. Used in the order of its
/// members; the rest of a run (<see cref="Pretrainer"/>) is the same for all modalities.
/// </summary>
public abstract class PretrainTask
{
    /// <summary>What one position of the model is: tokens, frames or patches.</summary>
    public abstract string Unit { get; }

    /// <summary>Reads or makes the data, and writes what the run folder shall keep of it (data.json, a tokenizer).</summary>
    /// <exception cref="IOException">The data cannot be read.</exception>
    public abstract void Load(PretrainOptions options, RunFolder folder, IPretrainObserver observer);

    /// <summary>One line on the data: where from and how much.</summary>
    public abstract string Data { get; }

    /// <summary>SHA-256 of the data.</summary>
    public abstract string Digest { get; }

    /// <summary>A fresh model on a device.</summary>
    public abstract ITrainingSession Start(Device device);

    /// <summary>Draws the examples of the linear probes.</summary>
    /// <returns>Probes that the data has too few examples for, each with the reason.</returns>
    public abstract IReadOnlyList<string> DrawProbes();

    /// <summary>Accuracy of every probe on the model as it is now.</summary>
    public abstract IReadOnlyList<double> ProbeAccuracies();

    /// <summary>The probes' results, beside majority class and simple baseline.</summary>
    /// <param name="random">Accuracies of the untrained encoder.</param>
    /// <param name="pretrained">Accuracies of the trained encoder.</param>
    public abstract IReadOnlyList<ProbeResult> ProbeResults(
        IReadOnlyList<double> random, IReadOnlyList<double> pretrained);

    /// <summary>Writes the model as it is now in its published form into a checkpoint that is being made.</summary>
    public abstract void WritePublished(CheckpointWriter checkpoint);
}
