"""How people put it when they type a prompt: small scenes and plain descriptions; ``words.py`` reads it."""

from __future__ import annotations

SAID = {
    "abstract shapes": """
        coloured paper pieces on a table, flat forms floating about, a modernist poster of forms, bold geometric
        forms, polygons and curves, a mobile by calder, miro painting, cheerful cutout forms, simple forms in
        bright colours, a child's drawing of blocks, forms piled on each other, wooden toy pieces, graphic
        elements, abstract geometry, a busy geometric poster, irregular polygons, soft rounded forms, flat
        design elements""",
    "abstract texture": """
        a grainy backdrop, a smudged surface, old concrete, a noisy surface, an uneven surface, worn paint, a
        fuzzy field, cloudy grain, a random field of colour, rough paper, marks and smears, an undefined
        surface, a blurred organic field, turbulence noise, a stained canvas, a smeared backdrop, visual noise,
        a speckled surface""",
    "colour gradient": """
        a fading backdrop, a clean gradient backdrop, from one hue to another, blended light, soft tones
        melting, a calm wash, a smooth field of colour, a silky blend, a minimal coloured light, even soft
        colour, colour fog, a blurred spectrum, gentle colour change, seamless colour, a faded backdrop, a soft
        glow of colours, light and colour only""",
    "city at night": """
        lights of a big town, skyline with lights, towers glowing after sunset, a street canyon with signs,
        blocks of flats in the dark, london at night, paris at night, berlin at night, seoul at night, moscow
        skyline, los angeles from the hills, singapore skyline, a dark skyline, a dystopian city, a city under a
        black sky, windows glowing in tall blocks, city lights over the river, an illuminated skyline, a night
        flight over a city""",
    "neon grid": """
        purple sun and lines, a wire landscape, a glowing mesh plain, a synth landscape, an 80s sunset with
        lines, a laser floor, a digital plain, a computer world from the eighties, mountains made of glowing
        wires, a flat world of neon lines, glowing squares to the horizon, a cyber floor, a retro computer game
        landscape, light cycles, a virtual plain of lines""",
    "circuits": """
        a computer chip up close, copper paths on a board, a green board with golden lines, wires and chips, a
        printed circuit, transistors, conductor paths, a technology background, electronic pathways, a machine
        brain""",
    "bokeh lights": """
        soft round lights in the dark, blurry lamps, out of focus city, glowing discs of light, a night out of
        focus, warm blurred lamps, soft spots of light, blurred fairy lights, light bubbles, hazy lamps at
        night, a blurred christmas market, big soft light spots, festive blurred lights, unsharp lights, lamps
        through a soft lens, evening lights out of focus, a glowing blurry background""",
    "digital rain": """
        falling code, green letters falling, lines of code pouring down, a wall of symbols, cyber code, a
        hacker's screen, computer characters dropping, streams of numbers, glowing code columns, a data
        waterfall, hacking, a mainframe screen, code from a movie, cascading numbers, an endless stream of
        characters, machine language, a digital curtain of signs""",
    "light trails": """
        traffic seen with a slow shutter, streams of headlamps, a highway of light, red and white streaks, lines
        of cars at night, lights drawn by motion, moving traffic lights, blurred cars, a road glowing with
        traffic, light lines curving away, neon speed lines, a city street with streaks, glowing paths of
        vehicles, streams of light, light in motion, high speed lights""",
    "fire": """
        a bonfire on the beach, burning logs, huge flames, flames licking upwards, everything is on fire, hot
        orange flames, an open fire, burning wood, a blaze in the dark, flames dancing, a firestorm, fire
        everywhere, flames against black, a house on fire, burning petrol, a wall of flames, raging flames, a
        fire breather, burning up, the burning bush, infernal flames, flames rising""",
    "embers": """
        glowing remains of a fire, charcoal glowing red, a bed of hot coals, red glow in the ash, burnt wood
        glowing, the grill is hot, glowing charcoal, dying flames, orange cracks in black coal, a burnt log
        glowing inside, coals breathing red, glowing briquettes, dull red heat, a heap of glowing coal""",
    "lava": """
        molten rock flowing, a stream of molten stone, red hot rock, a volcano pouring out, magma moving slowly,
        burning rock, black crust with red cracks, hot liquid rock, a crater full of melt, flowing magma, lava
        reaching the sea, melted earth, the inside of the earth, volcanic fire, a glowing river of rock, a hell
        of molten stone, eruption at night""",
    "smoke": """
        grey plumes rising, a cloud of smoke, mist in the air, white smoke on black, thick smoke rising, smoke
        curling, fog rolling in, smoke from a fire, a foggy night, pale vapour, swirling mist, drifting vapour,
        a plume of smoke, smoke in a dark room, stage fog, a misty haze, soft grey swirls, coloured smoke, smoke
        bomb""",
    "fireworks": """
        rockets bursting over the river, new year's night, sparks in the sky, bright explosions in the night, a
        festive night sky, coloured bursts, big bang of lights, celebration rockets, explosions over the city, a
        pyro show, a national holiday night, glittering bursts, flowers of fire in the sky, sparks and
        explosions, midnight rockets, bursting stars""",
    "lightning": """
        bright flashes in a storm, a thunderstorm at night, the sky flashing, electric bolts, white jagged lines
        in the sky, a bolt hitting the ground, purple flashes in dark clouds, blue electricity, an electrical
        storm, bolts from the clouds, a thundery night, sparks between electrodes, branching electricity, forks
        of light, a violent storm, static electricity""",
    "ink in water": """
        colour spreading in a tank, a drop of dye unfolding, clouds of pigment, black ink swirling, paint in a
        glass of water, liquid colour swirls, ink diffusing, colour blooming in liquid, flowing dyes, mixing
        liquids, swirls of liquid paint, ink tendrils, watercolour in a jar, colours unfolding in fluid, liquid
        smoke, a blooming drop of colour""",
    "laser beams": """
        green lasers, light rays over a crowd, a concert with beams, moving spotlights, stage lighting, rays
        crossing in the haze, red laser lines, a club with lasers, beams from the stage, a show with light rays,
        festival lights at night, laser lines in fog, light beams fanning out, a trance party""",
    "stripes": """
        parallel bars, lines in two colours, alternating bars, a striped cloth, bands side by side, a pattern of
        bars, striped fabric, bold bands, broad lines, a striped surface, even bars, repeated bands of colour, a
        marine shirt, straight coloured bands, a row of bars, lined pattern, black and white lines""",
    "checkers": """
        black and white squares, a chess pattern, alternating tiles, square tiles, a chequered floor, checkered,
        checkerboard floor, a two coloured grid, a board of squares, squares like a chess set, a squared floor,
        a racing flag pattern, checkered tiles going back, blocks in two colours, a checked cloth, tiles in
        perspective""",
    "dots": """
        round spots in a grid, a field of points, circles evenly spaced, spots everywhere, a pattern of round
        spots, coloured spots, many circles, small circles in rows, polka dot dress, a dotted background, a
        spotted cloth, rows of spots, halftone like points, round points, a grid of circles, spots on a plain
        ground""",
    "concentric rings": """
        circles around one point, rings spreading out, a target pattern, rings around the middle, circular
        bands, growing circles, waves spreading in circles, a round target, circular lines, circles one in
        another, a record's grooves, round bands of colour, rings like a tree's, a pulsing circle, nested
        circles""",
    "spiral": """
        a curve winding to the centre, a hypnotic swirl, a winding curve, arms turning around the centre, a
        whirling shape, turning inwards, a rotating swirl, swirling arms, a coiled shape, a drain whirl, a
        hypnotic vortex, a pinwheel of colour, spiralling lines, a winding staircase from above, a curled tail""",
    "tunnel": """
        walls rushing past, flying into depth, a long dark passage, a deep passage, light far away at the end, a
        tube without end, travelling down a pipe, a warp, warp speed, an endless passage, a round corridor,
        looking down a shaft, racing through a passage, a vortex passage, a ride into the depth, walls closing
        in, a hollow way""",
    "kaleidoscope": """
        a mirrored flower pattern, a star shaped pattern of mirrors, symmetric colours, symmetry in all
        directions, a pattern like a snowflake, reflected shards, coloured glass in mirrors, a rotating mandala,
        an ornament of mirrors, a many fold symmetry, a jewelled mandala, a trippy symmetrical pattern, a flower
        of mirrors, reflections of reflections, an oriental ornament""",
    "wave pattern": """
        wavy stripes, lines that bend, curved stripes, flowing stripes, lines like water, rippling lines,
        bending bars, swinging curves, lines that swim, wavy bands, a pattern of curves, graphic waves,
        distorted lines, hypnotic curved lines, undulating bands, swaying stripes, rolling curves""",
    "triangles": """
        a pattern of three cornered tiles, polygon mesh, a mesh of facets, folded paper facets, triangle mosaic,
        coloured triangles, pointed tiles, flat polygons, a low resolution mountain of polygons, facets of
        colour, triangular facets, a polygonal surface, geometric facets in colour, a surface made of triangles""",
    "hexagons": """
        comb cells, a bee's comb, tiles with six sides, a hex pattern, a six cornered mesh, hexagon mesh,
        honeycomb lattice, a wall of hexagons, hexagonal cells, a pattern like honey combs, hexagonal panels,
        six cornered cells, a hexagonal floor, a futuristic hexagon wall, waxy cells""",
    "mountains": """
        high peaks under the sky, blue ridges far away, rocky peaks, a summit above the valley, peaks in the
        morning, the high alps, an alpine view, towering peaks, layered hills in mist, steep peaks, distant
        ridges, a massif, tibet, nepal, the pyrenees, the carpathians, a rugged range, mountains at dawn,
        highland scenery""",
    "sand dunes": """
        hot desert, a sandy desert, golden dunes, yellow sand, desert hills, dunes in the evening light, a dry
        desert, curved dunes, a windswept desert, camels in the desert, shadows on sand, soft sand ridges, a
        barren desert, the dune planet""",
    "forest": """
        many trees, dark trees in fog, tall trees, tree trunks in mist, a misty wood, a path in the wood, fir
        trees, an evergreen wood, a spooky wood, trees in the morning, a wall of trees, beech wood, a green
        wood, a magic forest, moonlit trees, forest in fog, a dense wood, old trees""",
    "falling snow": """
        it is snowing, snowflakes in the air, white flakes falling, a cold winter night, winter weather, thick
        flakes, a winter landscape with flakes, a white winter day, gentle snow, snow at night, flakes against
        the dark, frosty air, polar storm, an icy blizzard""",
    "canyon": """
        red cliffs, layered red rock, a deep rocky valley, rock layers, a desert canyon, cliffs of sandstone,
        orange rock walls, steep rock walls, a rocky valley, eroded cliffs, a dry valley of rock, layered stone,
        the colorado river, stone layers in red, a cliff face, striped rocks""",
    "grass": """
        green blades, a green meadow in the wind, fresh green grass, a field, pasture land, a hay meadow, green
        stalks, a windy meadow, grass up close, a spring meadow, lush green ground, grassland under the sky,
        green reeds""",
    "flowers": """
        colourful blossoms, a field of blossoms, a flower bed in spring, a rose, wild blossoms, a garden full of
        colour, pink blossoms, a flowering meadow, blooming plants, a bunch of flowers, daffodils, cherry trees
        in bloom, spring blossoms, floral""",
    "leaves": """
        green foliage, autumn foliage, plants in the jungle, big tropical leaves, leaves on a branch, fallen
        foliage, red autumn leaves, a wall of leaves, dense foliage, a leafy plant, palm fronds, leafy green,
        leaves overlapping, botanical foliage, rainforest plants""",
    "feathers": """
        soft plumage, white feathers, a bird's plumage, colourful plumage, an angel's wing, layered feathers, a
        feathered surface, downy feathers, swan feathers, the feathers of a parrot, fluffy feathers, feather
        texture, peacock plumage""",
    "coral": """
        a maze like pattern, an organic labyrinth, a living labyrinth, labyrinth lines, winding ridges, an
        organic pattern of ridges, coral pattern, twisty channels, worm like lines, coral branches, a biological
        maze, patterns of growth""",
    "cells": """
        cells under a microscope, tiny organisms, biological cells, a tissue, round cells, cell walls,
        microscopic creatures, a culture of germs, microorganisms, tissue under a microscope, a cluster of
        cells, dividing cells, cell nuclei, organic cells""",
    "jellyfish": """
        glowing jellies in the deep, translucent sea creatures, a bell with tentacles, tentacles in dark water,
        soft animals drifting, medusas, floating tentacles, glowing sea life, a see through sea animal, jellies
        drifting, a deep sea creature, deep sea life""",
    "eye": """
        an eye staring, a close look at an iris, a big eye, a blue eye, a green iris, the eye of a cat, a pupil
        and an iris, eye of a reptile, a watching eye, looking at me, an eye wide open, lashes and iris, the eye
        of god""",
    "face": """
        a portrait of a woman, a portrait of a man, a person looking at you, eyes nose and mouth, a human head,
        a girl's portrait, somebody's portrait, a face in the dark, a smiling person, an old woman, a young man,
        a person's head, a stern look""",
    "liquid metal": """
        melted metal, shiny liquid metal, flowing mercury, a liquid mirror, fluid chrome, reflective liquid,
        glossy metal, melting chrome, metallic liquid, smooth silver waves, chrome blobs, shiny fluid, polished
        chrome, molten silver, a metallic flow""",
    "crystals": """
        gemstones, sparkling gems, a cluster of crystals, amethyst geode, sharp shards, glass shards, ice like
        shards, glittering stones, cut gems, pointed crystals, a diamond, glittering minerals, crystal shards,
        jewels in the light, prismatic stones, a crystal cluster""",
    "marble": """
        veined stone, white stone with grey veins, a marble wall, stone with streaks, a marble surface, black
        marble with gold veins, marble texture, streaky stone, veins in marble, italian stone, stone tiles with
        veins, smooth veined stone, a marble statue's surface, a marbled surface""",
    "wood grain": """
        wooden planks, grain of wood, a wooden surface, dark wood, a wooden wall, a wood panel, brown planks,
        lines in wood, pine wood, a wood texture, a sawn trunk, hardwood""",
    "ice": """
        blue ice, a frozen surface, ice surface, cracks in a frozen lake, clear ice, thick ice, a wall of ice,
        frozen over, arctic ice, antarctica, the antarctic, ice texture, an ice sheet, crystal clear ice, a
        frozen ocean""",
    "silk": """
        a silky cloth, folded cloth, a soft fabric, shiny fabric, draped fabric, red satin, smooth cloth, waves
        of cloth, a flowing dress, folds of fabric, soft folds of satin, textile folds, wavy fabric""",
    "oil slick": """
        rainbow colours on water, iridescent film, an oily puddle, shimmering rainbow colours, oil film,
        gasoline rainbow, colours of a soap film, a rainbow puddle, opalescent swirls, metallic rainbow, petrol
        on water, a shimmering film""",
    "stone wall": """
        an old wall, a wall of stones, stones with mortar, castle wall, a red brick wall, an ancient wall, old
        masonry, stone blocks, a rough wall, paving stones, cobblestone street, a wall of rough blocks, brick
        pattern, a wall made of stone""",
    "clouds": """
        white clouds on blue, grey sky, a blue sky with clouds, soft white clouds, sky with clouds, a cloud
        bank, a stormy sky, heaped clouds, cumulus, a bright sky, dark rain clouds, evening clouds, a sea of
        clouds, misty clouds""",
    "sunset": """
        an orange evening sky, evening sky, the sun at the horizon, sunset over the sea, a red evening sky, the
        sun sinking, evening glow, the sun above the sea, an orange horizon, a beach in the evening, sun going
        under, sunset on the beach, morning sun over water, a golden evening""",
    "starry night": """
        a sky full of stars, stars at night, many stars, bright stars, the stars above, a clear night sky, a
        dark sky with stars, countless stars, shining stars, the milky way above, small stars in black, a
        glittering night sky, stars over the desert""",
    "galaxy": """
        space clouds, a cosmic nebula, colourful gas in space, stars and gas, a purple nebula, the depths of
        space, a star cluster, space dust, a galactic core, a cosmic swirl, outer space with colours""",
    "aurora": """
        northern light, green light in the sky, green veils in the night sky, glowing bands in the sky, a green
        glow over the snow, waving light in the sky, lights of the north, dancing green light, ribbons of green
        light, an arctic glow, curtain of light in the sky, shimmering sky lights, sky glow in the north""",
    "moon": """
        a full moon at night, a moon in a dark sky, a crescent, a round planet, a glowing disc in the night, a
        big moon, a pale moon, moon over the sea, moon with craters, a celestial ball, a round moon, mars, a
        planet with craters, a night with a full moon""",
    "ocean waves": """
        sea waves, waves of the sea, blue water, a blue sea, water waves, waves on the beach, the surface of the
        sea, an open sea, ocean swell, crashing waves, a wild sea, water surface, seawater, foam on the sea, a
        coast with waves""",
    "underwater": """
        under water, deep blue water, beneath the surface, under the sea, sunlight in deep water, a diver's
        view, sunbeams under the sea, down in the sea, an underwater world, blue depths, light through water, a
        deep blue world, sunken ruins, the ocean depths""",
    "waterfall": """
        a big waterfall, water falling down, a high waterfall, white falling water, a cascade in the mountains,
        plunging water, water over rocks, a stream falling, water rushing down, a wild river falling, misty
        falls, a torrent between rocks, a tropical waterfall, streaming water, cascading water""",
    "rain on glass": """
        rain drops on a window, drops on glass, a window in the rain, rain running down the window, water
        droplets, a wet windscreen, rain on a car, drops of rain, a wet surface with drops, raindrops on a pane,
        a window with drops, rainy weather, rain outside""",
    "bubbles": """
        many bubbles, soap foam, shiny bubbles, transparent bubbles, bubbles rising, big soap bubbles, a bubble
        bath, rainbow bubbles, round shiny bubbles, air bubbles, clear spheres, glass spheres, floating spheres,
        little bubbles in water, soapy foam""",
}
