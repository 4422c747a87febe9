using System.Text.Json;
using Data2Vec.Engine;
using Data2Vec.Engine.Serialization;

namespace Data2Vec.Models;

/// <summary>
/// What a run must keep to go on as if it had never stopped: parameters, teacher and moments bit by bit, the count of each
/// parameter's updates, and the number of finished steps. Data order, masks and dropout need nothing: they are functions
/// of seed and step.
/// </summary>
public static class TrainingState
{
    private const string TensorFile = "state.safetensors";
    private const string CountFile = "state.json";

    private static readonly (ParameterPart Part, string Name)[] Parts =
    [
        (ParameterPart.Student, "student"), (ParameterPart.Teacher, "teacher"),
        (ParameterPart.Moment1, "moment1"), (ParameterPart.Moment2, "moment2"),
    ];

    /// <summary>Writes the state into a checkpoint that is being made.</summary>
    public static void Write(CheckpointWriter checkpoint, ParameterStore store, int step)
    {
        checkpoint.Write(TensorFile, stream =>
        {
            var writer = new SafetensorsWriter();
            foreach (var (part, name) in Parts)
            {
                for (var i = 0; i < store.Parameters.Count; i++)
                {
                    if (part == ParameterPart.Teacher && !store.HasTeacherValue(i)) continue;
                    var (p, number) = (part, i);
                    var dimensions = Array.ConvertAll(store.Parameters[i].Shape.ToArray(), d => (long)d);
                    writer.Add($"{name}.{store.Parameters[i].Name}", SafetensorsType.F32, dimensions,
                        s => s.Write(store.ReadBytes(p, number)));
                }
            }
            writer.Write(stream);
        });
        checkpoint.Write(CountFile, stream => JsonSerializer.Serialize(
            stream, new Counts(step, store.ReadStepCounts()), new JsonSerializerOptions { WriteIndented = true }));
    }

    /// <summary>Restores the state and returns the number of finished steps.</summary>
    /// <exception cref="InvalidDataException">A tensor is missing or does not fit the model.</exception>
    public static int Read(Checkpoint checkpoint, ParameterStore store)
    {
        var path = checkpoint.PathOf(TensorFile);
        using var file = SafetensorsFile.Open(path);
        foreach (var (part, name) in Parts)
        {
            for (var i = 0; i < store.Parameters.Count; i++)
            {
                if (part == ParameterPart.Teacher && !store.HasTeacherValue(i)) continue;
                var tensor = $"{name}.{store.Parameters[i].Name}";
                var shape = store.Parameters[i].Shape;
                if (!file.Contains(tensor)) throw new InvalidDataException($"{path} lacks the tensor {tensor}.");
                if (file[tensor].ToShape() != shape)
                    throw new InvalidDataException($"{path}: {tensor} must have shape {shape}; got {file[tensor]}.");
                var bytes = new byte[file[tensor].ByteCount];
                file.CopyBytes(file[tensor], bytes);
                store.WriteBytes(part, i, bytes);
            }
        }
        var counts = JsonSerializer.Deserialize<Counts>(File.ReadAllBytes(checkpoint.PathOf(CountFile)))
            ?? throw new InvalidDataException($"{checkpoint.PathOf(CountFile)} is empty.");
        if (counts.Updates.Length != store.Parameters.Count)
        {
            throw new InvalidDataException($"{checkpoint.PathOf(CountFile)} counts {counts.Updates.Length} parameters; "
                + $"the model has {store.Parameters.Count}.");
        }
        store.WriteStepCounts(counts.Updates);
        return counts.Step;
    }

    private sealed record Counts(int Step, int[] Updates);
}
